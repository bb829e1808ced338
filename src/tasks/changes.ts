import type { Types } from 'mongoose';
import type { Clock } from '../clock.ts';
import { SyncTokenExpiredError } from '../errors.ts';
import { isDeleted, type TaskState } from './document.ts';
import type { TaskDocument } from './model.ts';
import { BATCH, Numbering, type Numbered } from './numbering.ts';
import { OwnedCollection, type Where } from './owned.ts';
import type { Session } from './store.ts';
import { encodeSyncToken, readSyncToken, type SyncToken } from './syncToken.ts';

export interface Changes {
  /** The latest state of each; no task is here and in `removed`. */
  changed: TaskState[];
  removed: Types.ObjectId[];
  /** The token to come back with. */
  next: string;
  /** Whether there is more to fetch now. */
  hasMore: boolean;
}

/**
 * What has changed in one user's tasks since a token. Positions are (number, id), and numbers are given by readers (see
 * `Numbering`), so behind a position that was handed out nothing can appear any more.
 */
export class ChangesFeed {
  readonly #tasks: OwnedCollection<TaskDocument>;
  readonly #numbering: Numbering;
  readonly #clock: Clock;

  /** @param batch states that get one number. */
  constructor({ models, owner, clock, signal }: Session, batch = BATCH) {
    this.#tasks = new OwnedCollection(models.tasks, owner, signal);
    this.#numbering = new Numbering(this.#tasks, new OwnedCollection(models.syncs, owner, signal), batch);
    this.#clock = clock;
  }

  /**
   * @param since a token, or nothing for everything.
   * @throws {InvalidQueryError} when the token is malformed.
   * @throws {SyncTokenExpiredError}
   */
  async read(since: string | undefined, limit: number): Promise<Changes> {
    const now = this.#clock.now();
    const token = since === undefined ? undefined : readSyncToken(since, now);
    const numbered = await this.#numbering.advance();
    const from = token ?? firstToken(numbered, now);
    if (from.epoch !== numbered.epoch || from.number > numbered.number) throw new SyncTokenExpiredError();
    return await this.#page(from, numbered, now, limit);
  }

  async #page(from: SyncToken, numbered: Numbered, now: number, limit: number): Promise<Changes> {
    const found = await this.#numberedSince(from, numbered.number, limit + 1);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    if (found.length > limit && last?.seq !== undefined) {
      return answer(page, { ...from, number: last.seq, id: last._id }, true);
    }
    const fresh = numbered.isComplete ? await this.#freshSince(numbered, limit - page.length + 1) : [];
    const hasMore = !numbered.isComplete || page.length + fresh.length > limit;
    const knownAt = hasMore ? from.knownAt : now;
    const next = { ...from, knownAt, number: numbered.number, id: undefined };
    return answer([...page, ...fresh.slice(0, limit - page.length)], next, hasMore);
  }

  async #numberedSince(from: SyncToken, last: number, limit: number): Promise<TaskState[]> {
    if (from.number === last && from.id === undefined) return [];
    return await this.#tasks.find(between(from, last), { sort: { seq: 1, _id: 1 }, limit });
  }

  /**
   * What was written while this request ran. A task that was written before it, and again during it, would otherwise be
   * missing from the answer. All of it comes again with the next token.
   */
  async #freshSince(numbered: Numbered, limit: number): Promise<TaskState[]> {
    const fresh = await this.#tasks.find({ seq: null }, { sort: { _id: 1 }, limit });
    if (await this.#numbering.isLatest(numbered)) return fresh;
    // Another reader has numbered some of it by now. One query for both, so that none moves from one to the other.
    const where = { $or: [{ seq: null }, { seq: { $gt: numbered.number } }] };
    return await this.#tasks.find(where, { sort: { seq: 1, _id: 1 }, limit });
  }
}

/**
 * The place in front of everything. Deletions that have a number already are of no interest. One that has none yet is told,
 * old or not: the client may have made that very task since, and would keep it for ever.
 */
function firstToken({ epoch, number }: Numbered, now: number): SyncToken {
  return { knownAt: now, epoch, number: 0, id: undefined, quietUntil: number };
}

/** Everything behind the position, up to a number that has been handed out in full: what lies beyond may still move. */
function between({ number, id, quietUntil }: SyncToken, last: number): Where<TaskDocument> {
  const all: Where<TaskDocument>[] = [];
  if (id !== undefined) all.push({ $or: [{ seq: { $gt: number } }, { _id: { $gt: id } }] });
  if (number < quietUntil) all.push({ $or: [{ deletedAt: null }, { seq: { $gt: quietUntil } }] });
  const seq = id === undefined ? { $gt: number, $lte: last } : { $gte: number, $lte: last };
  return all.length === 0 ? { seq } : { seq, $and: all };
}

function answer(states: TaskState[], next: SyncToken, hasMore: boolean): Changes {
  // Of two states of a task the later one, which is further back, is the one to tell.
  const latest = [...new Map(states.map((state) => [state._id.toHexString(), state])).values()];
  return {
    changed: latest.filter((state) => !isDeleted(state)),
    removed: latest.filter(isDeleted).map(({ _id }) => _id),
    next: encodeSyncToken(next),
    hasMore,
  };
}
