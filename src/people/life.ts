/**
 * A person lives here from when they are registered until they are erased, or moved to another `oid`; their document in
 * `users` names that life by its `_id`.
 *
 * Whoever stores something new for them asks first whether they live, and may rely on the answer for a moment. Whoever ends
 * a life waits until nobody relies on it any more, and only then looks for what there is. So what was stored in between is
 * found, even if the process that stored it was killed right after. Only what took longer has to be asked about again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mongoose';
import { withSignal } from '../database/deadline.ts';
import { anyOf, oncePer, Together } from '../database/together.ts';
import { ALIVE, userModel } from './model.ts';

/** How long after the question something may be begun. */
const TRUST_MS = 500;
/** How long what was begun may take to be stored. */
const GRACE_MS = 1000;

/** That someone was alive a moment ago. */
export class Lease {
  /** Which life of theirs it was; unknown where that was not asked. */
  readonly life: string | undefined;
  readonly #askedAt: number;

  /** @param askedAt the time on `performance.now()`, which no one sets, from before the question was sent. */
  constructor(askedAt: number, life?: string) {
    this.life = life;
    this.#askedAt = askedAt;
  }

  get mayBegin(): boolean {
    return performance.now() - this.#askedAt < TRUST_MS;
  }

  /** Whether what has been stored by now is sure to be found by whoever ends this life. */
  get holds(): boolean {
    return performance.now() - this.#askedAt < TRUST_MS + GRACE_MS;
  }
}

/** Nothing when they are unknown or being erased. */
export async function askForLife(connection: Connection, oid: string, signal: AbortSignal): Promise<Lease | undefined> {
  const askedAt = performance.now();
  const life = await asking(connection).ask(oid, signal);
  return life === undefined ? undefined : new Lease(askedAt, life);
}

const asking = oncePer((connection: Connection) => {
  const users = userModel(connection);
  return new Together<string, string | undefined>(async (oids, signal) => {
    const who = { oid: anyOf(oids), ...ALIVE };
    const found = await users.find(who, { oid: 1 }).setOptions(withSignal(signal)).lean();
    const lives = new Map(found.map(({ oid, _id }) => [oid, _id.toHexString()]));
    return oids.map((oid) => lives.get(oid));
  });
});

/** Whether what was stored on this lease may stay. */
export async function goesOn(lease: Lease, connection: Connection, oid: string, signal: AbortSignal): Promise<boolean> {
  if (lease.holds) return true;
  return lease.life !== undefined && (await askForLife(connection, oid, signal))?.life === lease.life;
}

/** Resolves when nobody relies any more on a life that has just been ended. */
export async function untilLeasesEnd(): Promise<void> {
  await sleep(TRUST_MS + GRACE_MS);
}
