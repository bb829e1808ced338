import mongoose, { type Types } from 'mongoose';
import type { Clock } from '../clock.ts';
import { TaskExistsError, TaskNotFoundError } from '../errors.ts';
import { assertPreconditions, type Conditions } from '../http/conditional.ts';
import {
  type Birth,
  type Draft,
  draftOf,
  isDeleted,
  newTask,
  patchedTask,
  randomId,
  replacedTask,
  tagOf,
  type TaskState,
  textOf,
  tombstone,
} from './document.ts';
import type { TaskInput } from './input.ts';
import { cursorBehind, type Listing, orderOf, partsBehind } from './listing.ts';
import type { TaskDocument, TaskModels } from './model.ts';
import { equals, OwnedCollection, type Ownership, type Where } from './owned.ts';
import { type Cursor, Page } from './page.ts';
import { admitTask } from './quota.ts';
import { containing } from './search.ts';

export interface Session extends Ownership {
  models: TaskModels;
  clock: Clock;
  /** Starts the request's time anew: called when a part of what is large is done. */
  extend?: () => void;
}

/** What a write is to find before it is done; empty means anything. */
const UNCONDITIONAL: Conditions = { ifMatch: undefined, ifNoneMatch: undefined };

const LIVE = { deletedAt: null } satisfies Where<TaskDocument>;
// Documents that one command writes, so that none of them holds up everybody else's.
const BATCH = 250;
// Tasks that are changed at the same time when a text names several.
const CONCURRENCY = 8;
// Tasks that are looked through at a time for a part of their text, and in one request: what lies behind is the next page.
const SEARCHED_AT_A_TIME = 200;
const MAX_SEARCHED = 5_000;

/**
 * One user's tasks. Every query leads with the owner: nothing outside it can be read or changed. A write is decided on
 * what was read and done only if that is still the state of the task, so of concurrent writers with one tag exactly one wins.
 */
export class TaskStore {
  readonly #tasks: OwnedCollection<TaskDocument>;
  readonly #clock: Clock;
  readonly #extend: () => void;
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
    this.#tasks = new OwnedCollection(session.models.tasks, session);
    this.#clock = session.clock;
    this.#extend = session.extend ?? (() => undefined);
  }

  /** A page of tasks, and where the next one begins. */
  async list(listing: Listing): Promise<{ page: Page; next: Cursor | undefined }> {
    const { limit, sort, q } = listing;
    const page = new Page(limit);
    const isWanted = q === undefined ? undefined : containingTask(q);
    let from = listing.cursor;
    for (let searched = 0; ;) {
      const count = isWanted === undefined ? page.room : SEARCHED_AT_A_TIME;
      const found = await this.#readBehind(from, listing, count);
      for (const task of found) {
        if ((isWanted?.(task) ?? true) && !page.add(task)) return { page, next: from };
        from = cursorBehind(task, sort);
      }
      searched += found.length;
      if (found.length < count) return { page, next: undefined };
      if (isWanted !== undefined && searched >= MAX_SEARCHED) return { page, next: from };
    }
  }

  /** @throws {TaskNotFoundError} when this user has no task with that id. */
  async get(id: string): Promise<TaskState> {
    const task = await this.#read(id);
    if (task === undefined || isDeleted(task)) throw new TaskNotFoundError(id);
    return task;
  }

  async create(draft: Draft): Promise<TaskState> {
    const task = newTask(this.#birth(), draft);
    // Two of 2^96 ids would have to be equal.
    if (!(await this.#tasks.insert(task))) throw new TaskExistsError(task._id.toHexString());
    return task;
  }

  /** Creates the task unless it was created before; also when it was changed or deleted since. */
  async createOnce(birth: Birth, draft: Draft): Promise<TaskState> {
    const task = newTask(birth, draft);
    await this.#tasks.insert(task);
    return task;
  }

  /**
   * The task with that id becomes this one; it is created when this user has none.
   *
   * @throws {TaskExistsError} when the id is somebody else's.
   * @throws {PreconditionFailedError | TooManyTasksError}
   */
  async replace(
    id: string,
    input: TaskInput,
    conditions = UNCONDITIONAL,
  ): Promise<{ task: TaskState; isNew: boolean }> {
    for (;;) {
      const current = await this.#read(id);
      const isNew = current === undefined || isDeleted(current);
      assertPreconditions(conditions, isNew ? undefined : tagOf(current));
      const task = isNew ? newTask(this.#birth(id), draftOf(input)) : replacedTask(current, input, this.#now());
      if (isNew) await admitTask(this.#session);
      const isDone = current === undefined ? await this.#insertAt(id, task) : await this.#swap(current, task);
      if (isDone) return { task, isNew };
    }
  }

  /** @throws {TaskNotFoundError | PreconditionFailedError} */
  async patch(id: string, input: TaskInput, conditions = UNCONDITIONAL): Promise<TaskState> {
    return await this.#change(id, conditions, (current) => patchedTask(current, input, this.#now()));
  }

  /** @throws {TaskNotFoundError | PreconditionFailedError} */
  async remove(id: string, conditions = UNCONDITIONAL): Promise<void> {
    await this.#change(id, conditions, (current) => tombstone(current._id, this.#now()));
  }

  async removeAll(): Promise<void> {
    await this.#removeEach({});
  }

  /** @throws {TaskNotFoundError} when no task has exactly this text. */
  async removeByText(text: string): Promise<void> {
    if ((await this.#removeEach(hasText(text))) === 0) throw new TaskNotFoundError(text);
  }

  /**
   * A page of the tasks as they are now, and how many were changed in all.
   *
   * @throws {TaskNotFoundError} when no task has exactly this text.
   */
  async updateByText(text: string, changes: TaskInput): Promise<{ page: Page; count: number }> {
    const page = new Page(Infinity);
    let count = 0;
    let batch: TaskState[] = [];
    do {
      const after = batch.at(-1);
      batch = await this.#liveBatch({ ...hasText(text), ...(after && { _id: { $gt: after._id } }) });
      for (let i = 0; i < batch.length; i += CONCURRENCY) {
        const changed = batch.slice(i, i + CONCURRENCY).map((task) => this.#changeIfText(task, text, changes));
        for (const task of await Promise.all(changed)) {
          if (task === undefined) continue;
          // What follows the first that had no room has none either: a page has no gaps.
          if (page.tasks.length === count) page.add(task);
          count += 1;
        }
      }
      this.#extend();
    } while (batch.length === BATCH);
    if (count === 0) throw new TaskNotFoundError(text);
    return { page, count };
  }

  async #readBehind(from: Cursor | undefined, { where, sort }: Listing, count: number): Promise<TaskState[]> {
    const found: TaskState[] = [];
    for (const part of partsBehind(from, sort)) {
      const limit = count - found.length;
      if (limit === 0) break;
      const all = { $and: [part, where] };
      found.push(
        ...(await this.#tasks.find({ ...LIVE, ...(isEmpty(where) ? part : all) }, { sort: orderOf(sort), limit })),
      );
    }
    return found;
  }

  async #change(id: string, conditions: Conditions, next: (current: TaskState) => TaskState): Promise<TaskState> {
    for (;;) {
      const current = await this.#read(id);
      const isMissing = current === undefined || isDeleted(current);
      // Before the 404: RFC 9110, section 13.1.1 has If-Match fail when there is nothing to match.
      if (conditions.ifMatch !== undefined || !isMissing) {
        assertPreconditions(conditions, isMissing ? undefined : tagOf(current));
      }
      if (isMissing) throw new TaskNotFoundError(id);
      const state = next(current);
      if (await this.#swap(current, state)) return state;
    }
  }

  async #changeIfText(found: TaskState, text: string, changes: TaskInput): Promise<TaskState | undefined> {
    let current: TaskState | undefined = found;
    while (current !== undefined) {
      const next = patchedTask(current, changes, this.#now());
      if (await this.#swap(current, next)) return next;
      // Somebody changed it meanwhile; it may have another text by now.
      current = await this.#tasks.findOne({ _id: equals(current._id), ...LIVE, ...hasText(text) });
    }
    return undefined;
  }

  async #removeEach(where: Where<TaskDocument>): Promise<number> {
    let removed = 0;
    let batch: TaskState[] = [];
    do {
      const after = batch.at(-1);
      batch = await this.#liveBatch({ ...where, ...(after && { _id: { $gt: after._id } }) });
      if (batch.length === 0) break;
      const now = this.#now();
      removed += await this.#tasks.replaceEach(
        batch.map(({ _id }) => ({ where: { _id: equals(_id), ...LIVE, ...where }, document: tombstone(_id, now) })),
      );
      this.#extend();
    } while (batch.length === BATCH);
    return removed;
  }

  async #liveBatch(where: Where<TaskDocument>): Promise<TaskState[]> {
    return await this.#tasks.find({ ...LIVE, ...where }, { sort: { _id: 1 }, limit: BATCH });
  }

  async #read(id: string): Promise<TaskState | undefined> {
    return await this.#tasks.get(new mongoose.Types.ObjectId(id));
  }

  /** The new state, only if the task is still in the one that was read. */
  async #swap(current: TaskState, next: TaskState): Promise<boolean> {
    return await this.#tasks.replace({ _id: equals(current._id), version: equals(current.version ?? null) }, next);
  }

  /** False when this user has made a task with that id in between. */
  async #insertAt(id: string, task: TaskState): Promise<boolean> {
    if (await this.#tasks.insert(task)) return true;
    if ((await this.#read(id)) === undefined) throw new TaskExistsError(id);
    return false;
  }

  #birth(id?: string): Birth {
    const born: Types.ObjectId = id === undefined ? randomId() : new mongoose.Types.ObjectId(id);
    return { id: born, version: randomId(), at: this.#now() };
  }

  #now(): Date {
    return new Date(this.#clock.now());
  }
}

function hasText(text: string): Where<TaskDocument> {
  return { $or: [{ Text: equals(text) }, { Text: null, task: equals(text) }] };
}

function containingTask(q: string): (task: TaskState) => boolean {
  const isIn = containing(q);
  return (task) => isIn(textOf(task)) || (task.notes != null && isIn(task.notes));
}

function isEmpty(where: Where<TaskDocument>): boolean {
  return Object.keys(where).length === 0;
}
