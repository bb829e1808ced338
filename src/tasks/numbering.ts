import { randomBytes } from 'node:crypto';
import { randomId } from './document.ts';
import type { SyncDocument, TaskDocument } from './model.ts';
import { equals, type Content, type OwnedCollection } from './owned.ts';

/** How far an owner's changes are numbered. */
export interface Numbered {
  epoch: string;
  /** Everything that has a number up to this one has it for good: nothing will ever be added behind it. */
  number: number;
  /** Whether all that was written before is numbered; if not, there is too much of it, or too many who number it, for one request. */
  isComplete: boolean;
}

type Sync = Content<SyncDocument>;

/** States that get one number. */
export const BATCH = 1000;
// Numbers that one request gives, or tries to give while other readers are faster: together they fit into its time.
const MAX_ATTEMPTS = 2;

/**
 * Gives numbers to an owner's changes. Writers only leave their task without one; it is the readers who number, so no
 * clock takes part, and a writer that is slow or that another instance runs cannot end up behind a reader.
 *
 * A number is given to a batch of exact states, each a task's id with its version, and written down in the owner's sync
 * record before any task gets it. The next number can only be written down when the last one is handed out in full.
 * Handing out may be repeated by anybody at any time: a task that has changed since has another version, so it is left
 * alone and gets a later number.
 */
export class Numbering {
  readonly #tasks: OwnedCollection<TaskDocument>;
  readonly #syncs: OwnedCollection<SyncDocument>;
  readonly #batch: number;

  constructor(tasks: OwnedCollection<TaskDocument>, syncs: OwnedCollection<SyncDocument>, batch = BATCH) {
    this.#tasks = tasks;
    this.#syncs = syncs;
    this.#batch = batch;
  }

  /** Numbers what was written until now. */
  async advance(): Promise<Numbered> {
    let sync = await this.#current();
    for (let attempts = 0; ; attempts += 1) {
      await this.#handOut(sync);
      const states = await this.#tasks.find({ seq: null }, { sort: { _id: 1 }, limit: this.#batch });
      if (states.length === 0 || attempts === MAX_ATTEMPTS) return numbered(sync, states.length === 0);
      const next = { ...sync, number: sync.number + 1, entries: states.map(entryOf) };
      const isGiven = await this.#syncs.replace({ _id: equals(sync._id), number: equals(sync.number) }, next);
      // Where another reader was faster, what it numbered needs no number from us.
      sync = isGiven ? next : await this.#current();
    }
  }

  /** Whether nobody has given a number since. */
  async isLatest({ epoch, number }: Numbered): Promise<boolean> {
    return (await this.#syncs.findOne({ epoch: equals(epoch), number: equals(number) })) !== undefined;
  }

  async #current(): Promise<Sync> {
    for (;;) {
      const known = await this.#syncs.findOne({});
      if (known !== undefined) return known;
      const epoch = randomBytes(9).toString('base64url');
      const first = { _id: randomId(), epoch, number: await this.#highest(), entries: [] };
      if (await this.#syncs.insert(first)) return first;
    }
  }

  /** Tasks may have numbers already, when the record was lost: a restore that left it out, say. */
  async #highest(): Promise<number> {
    const [last] = await this.#tasks.find({}, { sort: { seq: -1, _id: -1 }, limit: 1 });
    return last?.seq ?? 0;
  }

  async #handOut({ _id: record, number, entries }: Sync): Promise<void> {
    if (entries.length === 0) return;
    const _id = { $in: entries.map(({ id }) => id) };
    // No two tasks share a version, so a version of the batch on an id of the batch is a state of the batch. The
    // tutorial's tasks have none until they are written, and never lose it again.
    const version = { $in: entries.map((entry) => entry.version) };
    await this.#tasks.update({ _id, version, seq: null }, { $set: { seq: number } });
    // From here on it need not be repeated.
    await this.#syncs.update({ _id: equals(record), number: equals(number) }, { $set: { entries: [] } });
  }
}

function entryOf({ _id, version }: TaskDocument): SyncDocument['entries'][number] {
  return { id: _id, version: version ?? null };
}

function numbered({ epoch, number }: Sync, isComplete: boolean): Numbered {
  return { epoch, number, isComplete };
}
