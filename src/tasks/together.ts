import DataLoader from 'dataloader';
import type { Model } from 'mongoose';
import { DEADLINE_MS } from '../database/deadline.ts';
import type { Owned } from './owned.ts';

interface Wanted {
  readonly id: unknown;
  readonly owner: string;
  readonly signal: AbortSignal;
}

/** Documents in one command: as many as a busy server is asked for in one turn of its event loop, and few megabytes at most. */
const MAX_TOGETHER = 50;

const loaders = new WeakMap<Model<never>, DataLoader<Wanted, unknown>>();

/**
 * Reads a document by its id, in one command with whatever else is asked for in this turn of the event loop, by whomever:
 * a command costs the driver several times what a document does. Each gets what is theirs, or nothing.
 *
 * @throws the signal's reason when the request's time is over; the command goes on for the others.
 */
export function readTogether<T extends Owned>(model: Model<T>, wanted: Wanted): Promise<T | undefined> {
  const key = model as unknown as Model<never>;
  const loader = loaders.get(key) ?? new DataLoader<Wanted, unknown>((all) => readAll(model, all), OPTIONS);
  loaders.set(key, loader);
  return new Promise((resolve, reject) => {
    const { signal } = wanted;
    const giveUp = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    loader
      .load(wanted)
      .then((found) => {
        resolve(found as T | undefined);
      }, reject)
      .finally(() => {
        signal.removeEventListener('abort', giveUp);
      });
  });
}

// Nothing is kept: what was read is old a moment later.
const OPTIONS = { cache: false, maxBatchSize: MAX_TOGETHER, batchScheduleFn: setImmediate };

async function readAll<T extends Owned>(model: Model<T>, wanted: readonly Wanted[]): Promise<(T | undefined)[]> {
  const filter: object = {
    owner: anyOf([...new Set(wanted.map(({ owner }) => owner))]),
    _id: anyOf(wanted.map(({ id }) => id)),
  };
  const options = {
    signal: lastOf(wanted.map(({ signal }) => signal)),
    maxTimeMS: DEADLINE_MS,
    batchSize: wanted.length + 1,
  };
  const found = (await model.collection.find(filter, options).toArray()) as unknown as T[];
  // Of several owners any might have been found: whose it is, is decided here.
  const byId = new Map(found.map((document) => [String(document._id), document]));
  return wanted.map(({ id, owner }) => {
    const document = byId.get(String(id));
    return document?.owner === owner ? document : undefined;
  });
}

function anyOf(values: readonly unknown[]): object {
  return values.length === 1 ? { $eq: values[0] } : { $in: values };
}

/** Aborts with the last of them, when nobody waits any more. */
function lastOf(signals: readonly AbortSignal[]): AbortSignal {
  const [only] = signals;
  if (signals.length === 1 && only !== undefined) return only;
  const all = new AbortController();
  let left = signals.length;
  for (const signal of signals) {
    signal.addEventListener('abort', () => {
      left -= 1;
      if (left === 0) all.abort(signal.reason);
    });
  }
  return all.signal;
}
