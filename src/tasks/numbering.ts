import { randomBytes } from 'node:crypto';
import type { LRUCache } from 'lru-cache';
import type { Connection } from 'mongoose';
import { randomId } from './document.ts';
import { type SyncDocument, type TaskDocument, taskModels } from './model.ts';
import { type Content, memoryOfOwners, OwnedCollection } from './owned.ts';
import type { Session } from './store.ts';

/** Which numbers were assigned in which epoch. */
type History = Pick<SyncDocument, 'epoch' | 'number' | 'past'>;

/** An assigned number, with its epoch. */
export type Mark = Pick<SyncDocument, 'epoch' | 'number'>;

/** An owner's changes up to a number: whatever has this number or a lower one keeps it; none is ever added. */
export interface Numbered extends History {
  /** Whether everything written before is numbered; if not, there is too much of it, or too many readers, for one request. */
  isComplete: boolean;
  /** Whether nothing had to be numbered: everything written before the request has a number up to this one. */
  isQuiet: boolean;
}

type Sync = Content<SyncDocument>;

/** How many states share a number, and how many numbers one request assigns, or tries to while other readers are faster. */
export const PACE = { batch: 250, maxNumbers: 8 };
/** Milliseconds after which a request starts no further batch: the rest of its time is for the answer. */
const BUDGET_MS = 1000;

/** What this process knows of an owner's history. */
interface Memory extends Mark {
  /** Whether it may continue in the epoch that it found. */
  mayContinue: boolean;
}

const memoryOf = memoryOfOwners<Memory>();

/**
 * Assigns numbers to an owner's changes. Writers only leave their task without one; readers number, so no clock is involved,
 * and a reader can never have passed a writer that is slow or runs on another instance.
 *
 * A number is assigned to a batch of exact states, each a task's id with its version, and recorded in the owner's sync
 * record before any task gets it. The next number can be recorded only when the last one has been assigned in full.
 * Anybody may repeat the assignment at any time: a task that has changed since then has another version, so it is left
 * alone and gets a later number.
 *
 * A restored database has gone back in time and would assign numbers a second time. So a process that meets an owner for
 * the first time, or finds less than it remembers, starts a new epoch with the next number.
 */
export class Numbering {
  readonly #tasks: OwnedCollection<TaskDocument>;
  readonly #syncs: OwnedCollection<SyncDocument>;
  readonly #memory: LRUCache<string, Memory>;
  readonly #owner: string;
  readonly #pace: typeof PACE;

  constructor(session: Session, pace: typeof PACE) {
    this.#tasks = new OwnedCollection(session.models.tasks, session);
    this.#syncs = new OwnedCollection(session.models.syncs, session);
    this.#memory = memoryOf(session.models.syncs);
    this.#owner = session.owner;
    this.#pace = pace;
  }

  /** Numbers what was written until now, as far as time allows. */
  async advance(): Promise<Numbered> {
    const end = performance.now() + BUDGET_MS;
    // In this order: anything written before that has a number by now has none higher than the record's.
    let states = await this.#unnumbered();
    let sync = await this.#current();
    const isQuiet = states.length === 0 && sync.entries.length === 0;
    for (let given = 0; ; given += 1) {
      if (sync.entries.length > 0) {
        await this.#handOut(sync);
        states = await this.#unnumbered();
      }
      const isOver = given === this.#pace.maxNumbers || performance.now() > end;
      if (states.length === 0 || isOver) return { ...sync, isComplete: states.length === 0, isQuiet };
      sync = await this.#give(sync, states);
    }
  }

  async #unnumbered(): Promise<TaskDocument[]> {
    const portion = { sort: { _id: 1 }, limit: this.#pace.batch, projection: { version: 1 } } as const;
    return await this.#tasks.find({ seq: null }, portion);
  }

  /** Whether nobody has assigned a number since. */
  async isLatest({ epoch, number }: Mark): Promise<boolean> {
    return (await this.#syncs.findOne({ epoch: { $eq: epoch }, number: { $eq: number } })) !== undefined;
  }

  /** Records the next number. If another reader was faster, what it numbered needs no number from us. */
  async #give(sync: Sync, states: TaskDocument[]): Promise<Sync> {
    const mayContinue = this.#memory.get(this.#owner)?.mayContinue === true;
    const entries = states.map(({ _id, version }) => ({ id: _id, version: version ?? null }));
    const next = { ...(mayContinue ? sync : inNewEpoch(sync)), number: sync.number + 1, entries };
    if (!(await this.#swap(sync, next))) return await this.#current();
    this.#remember(next, true);
    return next;
  }

  async #current(): Promise<Sync> {
    for (;;) {
      const known = await this.#syncs.findOne({});
      if (known === undefined) {
        const first = { _id: randomId(), epoch: newEpoch(), number: await this.#highest(), entries: [], past: [] };
        if (await this.#syncs.insert(first)) return this.#remember(first, true);
        continue;
      }
      const memory = this.#memory.get(this.#owner);
      if (memory !== undefined && vouchesFor(known, memory)) return this.#remember(known, memory.mayContinue);
      // Tasks may have higher numbers, for example if only the records were restored from a backup.
      const number = Math.max(known.number, await this.#highest());
      if (number === known.number) return this.#remember(known, false);
      await this.#swap(known, { ...inNewEpoch(known), number, entries: [] });
    }
  }

  #remember(sync: Sync, mayContinue: boolean): Sync {
    this.#memory.set(this.#owner, { epoch: sync.epoch, number: sync.number, mayContinue });
    return sync;
  }

  async #swap({ _id, epoch, number }: Sync, next: Sync): Promise<boolean> {
    return await this.#syncs.replace({ _id: { $eq: _id }, epoch: { $eq: epoch }, number: { $eq: number } }, next);
  }

  /** Tasks may already have numbers if the record was lost, for example in a restore. */
  async #highest(): Promise<number> {
    const [last] = await this.#tasks.find({}, { sort: { seq: -1, _id: -1 }, limit: 1, projection: { seq: 1 } });
    return last?.seq ?? 0;
  }

  async #handOut({ _id: record, epoch, number, entries }: Sync): Promise<void> {
    const _id = { $in: entries.map(({ id }) => id) };
    // No two tasks share a version, so an id of the batch with a version of the batch is a state of the batch. The
    // tutorial's tasks have none until they are written, and then keep one.
    const version = { $in: entries.map((entry) => entry.version) };
    await this.#tasks.update({ _id, version, seq: null }, { seq: number });
    // From here on it need not be repeated.
    const where = { _id: { $eq: record }, epoch: { $eq: epoch }, number: { $eq: number } };
    await this.#syncs.update(where, { entries: [] });
  }
}

function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}

/** Epochs that are remembered. One starts whenever an instance first meets an owner, so this covers weeks of deployments. */
const MAX_PAST = 100;

/** The same numbers so far; the next one is in a new epoch. */
function inNewEpoch(sync: Sync): Sync {
  const { epoch, number, past = [] } = sync;
  return { ...sync, epoch: newEpoch(), past: [...past, { epoch, until: number }].slice(-MAX_PAST) };
}

/** Whether the number was assigned in this history, which has come as far. */
export function vouchesFor({ epoch, number, past = [] }: History, mark: Mark): boolean {
  if (mark.epoch === epoch) return mark.number <= number;
  return past.some((row) => row.epoch === mark.epoch && mark.number <= row.until);
}

/** The epoch in which this history assigned the number. */
export function epochOf({ epoch, past = [] }: History, number: number): string {
  return past.find(({ until }) => number <= until)?.epoch ?? epoch;
}

/** Records that one command writes. */
const BATCH = 500;

/**
 * Starts a new history of changes for everyone, so that every earlier sync token is refused. Works live: what is numbered
 * meanwhile is numbered in the old history or in the new one. If tasks have higher numbers than their record, the first reader
 * continues from these. May be run again. Resolves to the number of users.
 */
export async function beginNewHistories(connection: Connection): Promise<number> {
  const { syncs } = taskModels(connection);
  let count = 0;
  for (let behind: object = {}; ;) {
    const records = await syncs.find(behind, { owner: 1 }).sort({ _id: 1 }).limit(BATCH).lean();
    if (records.length === 0) return count;
    const renewals = records.map(({ _id, owner }) => ({
      updateOne: { filter: { owner: { $eq: owner }, _id }, update: { $set: { epoch: newEpoch(), past: [] } } },
    }));
    await syncs.bulkWrite(renewals, { ordered: false });
    count += records.length;
    behind = { _id: { $gt: records.at(-1)?._id } };
  }
}
