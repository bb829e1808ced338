import mongoose, { type Types } from 'mongoose';
import { InvalidQueryError, SyncTokenExpiredError } from '../errors.ts';
import { isDeleted, isTaskId, type TaskState } from './document.ts';
import { SYNC_DAYS, type TaskDocument } from './model.ts';
import { epochOf, type Mark, type Numbered, Numbering, PACE, vouchesFor } from './numbering.ts';
import { OwnedCollection, type Where } from './owned.ts';
import { decodeOpaque, encodeOpaque, isInteger, isText, Page } from './page.ts';
import type { Session } from './store.ts';

/** What a client already knows: opaque to it, and all that the server needs to continue. */
export interface SyncToken {
  /** Milliseconds: the time up to which the client certainly knew everything. */
  knownAt: number;
  /** The epoch of the position's number. */
  epoch: string;
  /** Everything up to this number, and within it up to the id if there is one, was delivered. */
  number: number;
  id: Types.ObjectId | undefined;
  /** Deletions up to this number are irrelevant: they were there when the first sync began. */
  quietUntil: number;
}

/** A position after a numbered state; without an id, after the last state with that number. */
type Position = Pick<SyncToken, 'number' | 'id'>;

export interface Changes {
  /** The latest state of each; no task is here and in `removed`. */
  changed: TaskState[];
  removed: Types.ObjectId[];
  /** The token to come back with. */
  next: string;
  /** Whether there is more to fetch now. */
  hasMore: boolean;
}

/** States that one query may skip while it looks for relevant ones. */
const SLICE = 5000;
/** The most states that share a number, in any version. */
const MAX_BATCH = 1000;
/** Milliseconds after which a request stops looking and answers with what it has. */
const BUDGET_MS = 1000;

const BY_NUMBER = { seq: 1, _id: 1 } as const;

/**
 * What has changed in one user's tasks since a token. Positions are (number, id), and readers assign the numbers (see
 * `Numbering`), so nothing can appear any more before a position that was handed out.
 */
export class ChangesFeed {
  readonly #tasks: OwnedCollection<TaskDocument>;
  readonly #numbering: Numbering;
  readonly #session: Session;

  constructor(session: Session, pace = PACE) {
    this.#tasks = new OwnedCollection(session.models.tasks, session);
    this.#numbering = new Numbering(session, pace);
    this.#session = session;
  }

  /**
   * @param since a token, or undefined for everything.
   * @throws {InvalidQueryError} when the token is malformed.
   * @throws {SyncTokenExpiredError}
   */
  async read(since: string | undefined, limit: number): Promise<Changes> {
    const now = this.#session.clock.now();
    const token = since === undefined ? undefined : readSyncToken(since, now);
    const numbered = await this.#numbering.advance();
    const from = token ?? firstToken(numbered, now);
    if (!vouchesFor(numbered, markOf(from))) throw new SyncTokenExpiredError();
    const page = new Page(limit);
    const stop = await this.#numberedSince(from, numbered.number, page);
    if (stop !== undefined) return answer(page, { ...from, ...stop }, numbered, true);
    // The usual answer to a polling client, for two small reads.
    const isIdle = numbered.isQuiet && from.number === numbered.number && from.id === undefined;
    const hasMore = !numbered.isComplete || (!isIdle && !(await this.#addFresh(numbered, page)));
    const next = { ...from, knownAt: hasMore ? from.knownAt : now, number: numbered.number, id: undefined };
    return answer(page, next, numbered, hasMore);
  }

  /** Resolves to where it had to stop, or to undefined at the end. */
  async #numberedSince(from: SyncToken, last: number, page: Page): Promise<Position | undefined> {
    const deadline = performance.now() + BUDGET_MS;
    const end: Position = { number: last, id: undefined };
    for (let position: Position = from; position.number !== last || position.id !== undefined;) {
      const pause = await this.#pauseBefore(end, { ...from, ...position });
      const where = { ...between(position, pause ?? end), ...quiet(from, position) };
      const { room } = page;
      const found = await this.#tasks.find(where, { sort: BY_NUMBER, limit: room });
      if (!found.every((state) => page.add(state))) return endOf(page);
      const next = found.length < room ? pause : endOf(page);
      if (next === undefined || performance.now() > deadline) return next;
      position = next;
    }
    return undefined;
  }

  /** Where to pause if any number of irrelevant deletions may lie ahead; undefined if they cannot. */
  async #pauseBefore(end: Position, from: SyncToken): Promise<Position | undefined> {
    if (from.number >= from.quietUntil || (end.number - from.number) * MAX_BATCH <= SLICE) return undefined;
    const portion = { sort: BY_NUMBER, skip: SLICE, limit: 1, projection: { seq: 1 } } as const;
    const [pause] = await this.#tasks.find(between(from, end), portion);
    return pause && { number: pause.seq ?? end.number, id: pause._id };
  }

  /**
   * Adds what was written while this request ran. Otherwise a task written before and again during the request would be
   * missing from the answer. All of it comes again with the next token.
   *
   * @returns false if there may be more than the page has room for.
   */
  async #addFresh(numbered: Numbered, page: Page): Promise<boolean> {
    const { room: limit } = page;
    let fresh = await this.#tasks.find({ seq: null }, { sort: { _id: 1 }, limit });
    if (!(await this.#numbering.isLatest(numbered))) {
      // Another reader may have numbered some of it. One query for both, so that nothing moves from one to the other.
      const where = { $or: [{ seq: null }, { seq: { $gt: numbered.number } }] };
      fresh = await this.#tasks.find(where, { sort: BY_NUMBER, limit });
    }
    return fresh.every((state) => page.add(state)) && fresh.length < limit;
  }
}

function endOf(page: Page): Position | undefined {
  const last = page.tasks.at(-1);
  return last?.seq === undefined ? undefined : { number: last.seq, id: last._id };
}

/**
 * The position before everything. Deletions that already have a number are irrelevant. One without a number is reported, old
 * or not: the client may have created that very task since, and would keep it for ever.
 */
function firstToken({ epoch, number }: Numbered, now: number): SyncToken {
  return { knownAt: now, epoch, number: 0, id: undefined, quietUntil: number };
}

/** The highest number in a token: the history must be the same up to there. */
function markOf({ epoch, number, quietUntil }: Omit<SyncToken, 'knownAt'>): Mark {
  return { epoch, number: Math.max(number, quietUntil) };
}

/** Everything between two positions, the second of which is fully assigned: what lies beyond may still move. */
function between(from: Position, to: Position): Where<TaskDocument> {
  const all: Where<TaskDocument>[] = [];
  if (from.id !== undefined) all.push({ $or: [{ seq: { $gt: from.number } }, { _id: { $gt: from.id } }] });
  if (to.id !== undefined) all.push({ $or: [{ seq: { $lt: to.number } }, { _id: { $lte: to.id } }] });
  // Outside of any $or, so that every server bounds its scan by it.
  const seq = { [from.id === undefined ? '$gt' : '$gte']: from.number, $lte: to.number };
  return all.length === 0 ? { seq } : { seq, $and: all };
}

/** Leaves out deletions from before the first sync. */
function quiet({ quietUntil }: SyncToken, { number, id }: Position): Where<TaskDocument> {
  const isBehind = number > quietUntil || (number === quietUntil && id === undefined);
  return isBehind ? {} : { $or: [{ deletedAt: null }, { seq: { $gt: quietUntil } }] };
}

function answer(page: Page, next: SyncToken, numbered: Numbered, hasMore: boolean): Changes {
  // Of two states of a task, report the later one, which comes further back.
  const latest = [...new Map(page.tasks.map((state) => [toldId(state).toHexString(), state])).values()];
  const epoch = epochOf(numbered, markOf(next).number);
  return {
    changed: latest.filter((state) => !isDeleted(state)),
    removed: latest.filter(isDeleted).map(toldId),
    next: encodeSyncToken({ ...next, epoch }),
    hasMore,
  };
}

/** A task that was moved to somebody else keeps its id; its tombstone here has another. */
function toldId({ _id, gone }: TaskState): Types.ObjectId {
  return gone ?? _id;
}

const FORMAT = 1;
const LIFETIME_MS = SYNC_DAYS * 24 * 3_600_000;

export function encodeSyncToken({ knownAt, epoch, number, id, quietUntil }: SyncToken): string {
  return encodeOpaque([FORMAT, knownAt, epoch, number, id?.toHexString() ?? '', quietUntil]);
}

const isFormat = (part: unknown): part is number => part === FORMAT;
const isIdOrNone = (part: unknown): part is string => part === '' || isTaskId(part);

/**
 * @param now milliseconds.
 * @throws {InvalidQueryError} when it is not, byte for byte, what `encodeSyncToken` returns.
 * @throws {SyncTokenExpiredError} when it is older than 30 days.
 */
export function readSyncToken(text: string, now: number): SyncToken {
  const parts = decodeOpaque(text, [isFormat, isInteger, isText, isInteger, isIdOrNone, isInteger]);
  if (parts === undefined) {
    throw new InvalidQueryError('since is malformed: send "next" of the last answer as it is, or leave it out');
  }
  const [, knownAt, epoch, number, id, quietUntil] = parts;
  if (now - knownAt > LIFETIME_MS) throw new SyncTokenExpiredError();
  return { knownAt, epoch, number, id: id === '' ? undefined : new mongoose.Types.ObjectId(id), quietUntil };
}
