import type { Types } from 'mongoose';
import type { Clock } from '../clock.ts';
import { SyncTokenExpiredError } from '../errors.ts';
import { isDeleted, type TaskState } from './document.ts';
import { encodeSyncToken, epochOf, type Mark, readSyncToken, type SyncToken, vouchesFor } from './history.ts';
import type { TaskDocument } from './model.ts';
import { type Numbered, Numbering, type Pace } from './numbering.ts';
import { OwnedCollection, type Where } from './owned.ts';
import { Page } from './page.ts';
import type { Session } from './store.ts';

export interface Changes {
  /** The latest state of each; no task is here and in `removed`. */
  changed: TaskState[];
  removed: Types.ObjectId[];
  /** The token to come back with. */
  next: string;
  /** Whether there is more to fetch now. */
  hasMore: boolean;
}

/** Behind which state of the numbered ones: the last of a number when there is no id. */
type Position = Pick<SyncToken, 'number' | 'id'>;

/** States that one query passes over at most while it looks for those that are of interest. */
const SLICE = 5000;
/** States that have one number: never more, in any version. */
const MAX_BATCH = 1000;
/** Milliseconds after which a request looks no further, and answers with what it has. */
const BUDGET_MS = 1000;

/**
 * What has changed in one user's tasks since a token. Positions are (number, id), and numbers are given by readers (see
 * `Numbering`), so behind a position that was handed out nothing can appear any more.
 */
export class ChangesFeed {
  readonly #tasks: OwnedCollection<TaskDocument>;
  readonly #numbering: Numbering;
  readonly #clock: Clock;

  constructor(session: Session, pace: Partial<Pace> = {}) {
    this.#tasks = new OwnedCollection(session.models.tasks, session);
    this.#numbering = new Numbering(session, pace);
    this.#clock = session.clock;
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
    if (!vouchesFor(numbered, markOf(from))) throw new SyncTokenExpiredError();
    return await this.#page(from, numbered, now, limit);
  }

  async #page(from: SyncToken, numbered: Numbered, now: number, limit: number): Promise<Changes> {
    const page = new Page(limit);
    // The usual answer to a client that polls, for two small reads.
    if (numbered.isQuiet && from.number === numbered.number && from.id === undefined) {
      return answer(page, { ...from, knownAt: now }, numbered, false);
    }
    const stop = await this.#numberedSince(from, numbered.number, page);
    if (stop !== undefined) return answer(page, { ...from, ...stop }, numbered, true);
    const isCut = numbered.isComplete && !(await this.#addFresh(numbered, page));
    const hasMore = !numbered.isComplete || isCut;
    const next = { ...from, knownAt: hasMore ? from.knownAt : now, number: numbered.number, id: undefined };
    return answer(page, next, numbered, hasMore);
  }

  /** Resolves to where it had to stop; to nothing when it came to the end. */
  async #numberedSince(from: SyncToken, last: number, page: Page): Promise<Position | undefined> {
    const deadline = performance.now() + BUDGET_MS;
    for (let position: Position = from; ;) {
      if (position.number === last && position.id === undefined) return undefined;
      const end = await this.#endOfSlice({ ...from, ...position }, last);
      const isCut = await fill(page, (after, limit) =>
        this.#tasks.find(
          { ...between(after ?? position, end ?? { number: last, id: undefined }), ...quiet(from, position) },
          { sort: { seq: 1, _id: 1 }, limit },
        ),
      );
      if (isCut) return endOf(page);
      if (end === undefined) return undefined;
      if (performance.now() > deadline) return end;
      position = end;
    }
  }

  /** Where to pause when deletions that are of no interest may lie ahead in any number; nothing when they cannot. */
  async #endOfSlice({ number, id, quietUntil }: SyncToken, last: number): Promise<Position | undefined> {
    if (number >= quietUntil || (last - number) * MAX_BATCH <= SLICE) return undefined;
    const where = between({ number, id }, { number: last, id: undefined });
    const page = { sort: { seq: 1, _id: 1 }, skip: SLICE, limit: 1, only: ['_id', 'seq'] } as const;
    const [end] = await this.#tasks.find(where, page);
    return end === undefined ? undefined : { number: end.seq ?? last, id: end._id };
  }

  /** False when there may be more than the page has room for. */
  async #addFresh(numbered: Numbered, page: Page): Promise<boolean> {
    const { room } = page;
    const fresh = await this.#freshSince(numbered, room);
    return fresh.every((state) => page.add(state)) && fresh.length < room;
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

/** Reads in portions, each behind the last state of the one before. Resolves to whether there is more than the page holds. */
async function fill(
  page: Page,
  read: (after: Position | undefined, limit: number) => Promise<TaskState[]>,
): Promise<boolean> {
  for (let after: Position | undefined; ; after = endOf(page)) {
    const { room } = page;
    const found = await read(after, room);
    if (!found.every((state) => page.add(state))) return true;
    if (found.length < room) return false;
  }
}

function endOf(page: Page): Position | undefined {
  const last = page.tasks.at(-1);
  return last?.seq === undefined ? undefined : { number: last.seq, id: last._id };
}

/**
 * The place in front of everything. Deletions that have a number already are of no interest. One that has none yet is told,
 * old or not: the client may have made that very task since, and would keep it for ever.
 */
function firstToken({ epoch, number }: Numbered, now: number): SyncToken {
  return { knownAt: now, epoch, number: 0, id: undefined, quietUntil: number };
}

/** The highest number that a token speaks of: the history that it is good for must be the same up to there. */
function markOf({ epoch, number, quietUntil }: Omit<SyncToken, 'knownAt'>): Mark {
  return { epoch, number: Math.max(number, quietUntil) };
}

/** Everything behind one position and up to another that has been handed out in full: what lies beyond may still move. */
function between(from: Position, to: Position): Where<TaskDocument> {
  const all: Where<TaskDocument>[] = [];
  if (from.id !== undefined) all.push({ $or: [{ seq: { $gt: from.number } }, { _id: { $gt: from.id } }] });
  if (to.id !== undefined) all.push({ $or: [{ seq: { $lt: to.number } }, { _id: { $lte: to.id } }] });
  // Outside of any $or, where every server bounds its scan by it.
  const seq = { [from.id === undefined ? '$gt' : '$gte']: from.number, $lte: to.number };
  return all.length === 0 ? { seq } : { seq, $and: all };
}

/** Leaves out deletions of before the first sync. */
function quiet({ quietUntil }: SyncToken, { number }: Position): Where<TaskDocument> {
  return number < quietUntil ? { $or: [{ deletedAt: null }, { seq: { $gt: quietUntil } }] } : {};
}

function answer(page: Page, next: SyncToken, numbered: Numbered, hasMore: boolean): Changes {
  // Of two states of a task the later one, which is further back, is the one to tell.
  const latest = [...new Map(page.tasks.map((state) => [toldId(state).toHexString(), state])).values()];
  const epoch = epochOf(numbered, markOf(next).number);
  return {
    changed: latest.filter((state) => !isDeleted(state)),
    removed: latest.filter(isDeleted).map(toldId),
    next: encodeSyncToken({ ...next, epoch }),
    hasMore,
  };
}

/** A task that was given to somebody else keeps its id, and what stays here has one of its own. */
function toldId({ _id, gone }: TaskState): Types.ObjectId {
  return gone ?? _id;
}
