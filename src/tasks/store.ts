import mongoose from 'mongoose';
import type { Clock } from '../clock.ts';
import { TaskExistsError, TaskNotFoundError } from '../errors.ts';
import { assertPreconditions, type Conditions } from '../http/conditional.ts';
import { admitTask } from './creations.ts';
import {
  draftOf,
  isDeleted,
  newBirth,
  newTask,
  patchedTask,
  replacedTask,
  tagOf,
  type TaskState,
  tombstone,
} from './document.ts';
import type { TaskInput } from './input.ts';
import { type Cursor, cursorBehind, type Listing, orderOf, partsBehind } from './listing.ts';
import type { TaskDocument, TaskModels } from './model.ts';
import { OwnedCollection, type Ownership, type Where } from './owned.ts';
import { Page } from './page.ts';

export interface Session extends Ownership {
  models: TaskModels;
  clock: Clock;
  /** Restarts the request's time: called when a part of large work is done. */
  extend: () => void;
}

const LIVE = { deletedAt: null } satisfies Where<TaskDocument>;
// Documents that one command writes, so that it does not hold up others.
const BATCH = 250;
// Tasks changed at the same time if a text matches several.
const CONCURRENCY = 8;
// Tasks searched at a time, and in one request; the rest is for the next page.
const SEARCHED_AT_A_TIME = 200;
const MAX_SEARCHED = 5_000;

/**
 * One user's tasks. Every query starts with the owner: nothing else can be read or changed. A write is decided on what was
 * read, and done only if the task is still in that state, so of concurrent writers with one tag exactly one wins.
 */
export class TaskStore {
  readonly #tasks: OwnedCollection<TaskDocument>;
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
    this.#tasks = new OwnedCollection(session.models.tasks, session);
  }

  /** A page of tasks, and where the next one begins. */
  async list(listing: Listing): Promise<{ page: Page; next: Cursor | undefined }> {
    const { limit, sort, q } = listing;
    const page = new Page(limit);
    let from = listing.cursor;
    for (let searched = 0; ;) {
      const count = q === undefined ? page.room : SEARCHED_AT_A_TIME;
      const found = await this.#readBehind(from, listing, count);
      for (const task of found) {
        if ((q?.(task) ?? true) && !page.add(task)) return { page, next: from };
        from = cursorBehind(task, sort);
      }
      searched += found.length;
      if (found.length < count) return { page, next: undefined };
      if (searched >= MAX_SEARCHED) return { page, next: from };
    }
  }

  /** @throws {TaskNotFoundError} when this user has no task with that id. */
  async get(id: string): Promise<TaskState> {
    return existing(living(await this.#read(id)), id);
  }

  /**
   * Replaces the task with that id, or creates it if this user has none.
   *
   * @throws {TaskExistsError} when somebody else has that id.
   * @throws {PreconditionFailedError | TooManyTasksError}
   */
  async replace(id: string, input: TaskInput, conditions: Conditions): Promise<{ task: TaskState; isNew: boolean }> {
    return await this.#write(id, conditions, (current, now) =>
      current === undefined
        ? newTask(newBirth(now, new mongoose.Types.ObjectId(id)), draftOf(input))
        : replacedTask(current, input, now),
    );
  }

  /** @throws {TaskNotFoundError | PreconditionFailedError} */
  async patch(id: string, input: TaskInput, conditions: Conditions): Promise<TaskState> {
    const { task } = await this.#write(id, conditions, (current, now) =>
      patchedTask(existing(current, id), input, now),
    );
    return task;
  }

  /** @throws {TaskNotFoundError | PreconditionFailedError} */
  async remove(id: string, conditions: Conditions): Promise<void> {
    await this.#write(id, conditions, (current, now) => tombstone(existing(current, id)._id, now));
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
    for await (const tasks of this.#batches(hasText(text), CONCURRENCY)) {
      for (const task of await Promise.all(tasks.map((one) => this.#changeIfText(one, text, changes)))) {
        if (task === undefined) continue;
        // After the first that did not fit, none is added: a page has no gaps.
        if (page.tasks.length === count) page.add(task);
        count += 1;
      }
    }
    if (count === 0) throw new TaskNotFoundError(text);
    return { page, count };
  }

  async #readBehind(from: Cursor | undefined, { where, sort }: Listing, count: number): Promise<TaskState[]> {
    const found: TaskState[] = [];
    for (const part of partsBehind(from, sort)) {
      const limit = count - found.length;
      if (limit === 0) break;
      found.push(...(await this.#tasks.find({ ...LIVE, ...part, ...where }, { sort: orderOf(sort), limit })));
    }
    return found;
  }

  /** Decides on the current task (`undefined` if none), and writes the next state if that is still current. */
  async #write(
    id: string,
    conditions: Conditions,
    next: (current: TaskState | undefined, now: Date) => TaskState,
  ): Promise<{ task: TaskState; isNew: boolean }> {
    for (;;) {
      const found = await this.#read(id);
      const current = living(found);
      const isNew = current === undefined;
      assertPreconditions(conditions, isNew ? undefined : tagOf(current));
      const task = next(current, this.#now());
      if (isNew) await admitTask(this.#session);
      const isDone = found === undefined ? await this.#insertAt(id, task) : await this.#swap(found, task);
      if (isDone) return { task, isNew };
    }
  }

  async #changeIfText(found: TaskState, text: string, changes: TaskInput): Promise<TaskState | undefined> {
    let current: TaskState | undefined = found;
    while (current !== undefined) {
      const next = patchedTask(current, changes, this.#now());
      if (await this.#swap(current, next)) return next;
      // Somebody changed it meanwhile; it may have another text by now.
      current = await this.#tasks.findOne({ _id: { $eq: current._id }, ...LIVE, ...hasText(text) });
    }
    return undefined;
  }

  async #removeEach(where: Where<TaskDocument>): Promise<number> {
    let removed = 0;
    for await (const tasks of this.#batches(where, BATCH)) {
      const now = this.#now();
      removed += await this.#tasks.replaceEach(
        tasks.map(({ _id }) => ({ where: { _id: { $eq: _id }, ...LIVE, ...where }, document: tombstone(_id, now) })),
      );
    }
    return removed;
  }

  /** All tasks that meet the conditions, in batches, with the request's whole time for each. */
  async *#batches(where: Where<TaskDocument>, limit: number): AsyncGenerator<TaskState[]> {
    let batch: TaskState[] = [];
    do {
      const after = batch.at(-1);
      const behind = after && { _id: { $gt: after._id } };
      batch = await this.#tasks.find({ ...LIVE, ...where, ...behind }, { sort: { _id: 1 }, limit });
      if (batch.length > 0) yield batch;
      this.#session.extend();
    } while (batch.length === limit);
  }

  async #read(id: string): Promise<TaskState | undefined> {
    return await this.#tasks.get(new mongoose.Types.ObjectId(id));
  }

  /** Writes the new state, only if the task is still in the one that was read. */
  async #swap(current: TaskState, next: TaskState): Promise<boolean> {
    return await this.#tasks.replace({ _id: { $eq: current._id }, version: { $eq: current.version ?? null } }, next);
  }

  /** Returns false if this user has created a task with that id in between. */
  async #insertAt(id: string, task: TaskState): Promise<boolean> {
    if (await this.#tasks.insert(task)) return true;
    if ((await this.#read(id)) === undefined) throw new TaskExistsError(id);
    return false;
  }

  #now(): Date {
    return new Date(this.#session.clock.now());
  }
}

/** @throws {TaskNotFoundError} when there is none. */
function existing(task: TaskState | undefined, id: string): TaskState {
  if (task === undefined) throw new TaskNotFoundError(id);
  return task;
}

function living(state: TaskState | undefined): TaskState | undefined {
  return state === undefined || isDeleted(state) ? undefined : state;
}

function hasText(text: string): Where<TaskDocument> {
  return { $or: [{ Text: { $eq: text } }, { Text: null, task: { $eq: text } }] };
}
