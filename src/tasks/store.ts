import mongoose, { type Types } from 'mongoose';
import type { Clock } from '../clock.ts';
import { TaskExistsError } from '../errors.ts';
import { assertPreconditions, type Conditions } from '../http/conditional.ts';
import { changedTask, isDeleted, newTask, randomId, tagOf, tombstone, type Birth, type TaskState } from './document.ts';
import type { TaskChanges, TaskFields } from './input.ts';
import { conditionsOf, type Listing } from './listing.ts';
import type { TaskDocument, TaskModels } from './model.ts';
import { notFound } from './notFound.ts';
import { equals, OwnedCollection, type Where } from './owned.ts';

export interface Session {
  models: TaskModels;
  /** The caller's `oid`: a non-empty string. */
  owner: string;
  clock: Clock;
  /** Ends every operation when the request's time is over. */
  signal: AbortSignal;
}

/** What a write is to find before it is done; empty means anything. */
const UNCONDITIONAL: Conditions = { ifMatch: undefined, ifNoneMatch: undefined };

const LIVE = { deletedAt: null } satisfies Where<TaskDocument>;
// Documents that one command writes, so that none of them holds up everybody else's.
const BATCH = 1000;
// Tasks that are changed at the same time when a text names several.
const CONCURRENCY = 8;

/**
 * One user's tasks. Every query leads with the owner: nothing outside it can be read or changed. A write is decided on
 * what was read and done only if that is still the state of the task, so of concurrent writers with one tag exactly one wins.
 */
export class TaskStore {
  readonly #tasks: OwnedCollection<TaskDocument>;
  readonly #clock: Clock;

  constructor({ models, owner, clock, signal }: Session) {
    this.#tasks = new OwnedCollection(models.tasks, owner, signal);
    this.#clock = clock;
  }

  /** A page of tasks, and whether more follow. */
  async list(listing: Listing): Promise<{ tasks: TaskState[]; hasMore: boolean }> {
    const { sort, limit } = listing;
    const found = await this.#tasks.find(
      { ...LIVE, ...conditionsOf(listing) },
      { sort: order(sort), limit: limit + 1 },
    );
    return { tasks: found.slice(0, limit), hasMore: found.length > limit };
  }

  /** @throws {TaskNotFoundError} when this user has no task with that id. */
  async get(id: string): Promise<TaskState> {
    const task = await this.#read(id);
    if (task === undefined || isDeleted(task)) throw notFound(id);
    return task;
  }

  async create(fields: TaskFields): Promise<TaskState> {
    const task = newTask(this.#birth(), fields);
    // Two of 2^96 ids would have to be equal.
    if (!(await this.#tasks.insert(task))) throw new TaskExistsError(task._id.toHexString());
    return task;
  }

  /** Creates the task unless it was created before; also when it was changed or deleted since. */
  async createOnce(birth: Birth, fields: TaskFields): Promise<TaskState> {
    const task = newTask(birth, fields);
    await this.#tasks.insert(task);
    return task;
  }

  /**
   * The task with that id becomes this one; it is created when this user has none.
   *
   * @throws {TaskExistsError} when the id is somebody else's.
   * @throws {PreconditionFailedError}
   */
  async replace(
    id: string,
    fields: TaskFields,
    conditions = UNCONDITIONAL,
  ): Promise<{ task: TaskState; isNew: boolean }> {
    for (;;) {
      const current = await this.#read(id);
      const isNew = current === undefined || isDeleted(current);
      assertPreconditions(conditions, isNew ? undefined : tagOf(current));
      const task = isNew
        ? newTask(this.#birth(id), fields)
        : changedTask(current, { ...fields, date: fields.date ?? null }, this.#now());
      const isDone = current === undefined ? await this.#insertAt(id, task) : await this.#swap(current, task);
      if (isDone) return { task, isNew };
    }
  }

  /** @throws {TaskNotFoundError | PreconditionFailedError} */
  async patch(id: string, changes: TaskChanges, conditions = UNCONDITIONAL): Promise<TaskState> {
    return await this.#change(id, conditions, (current) => changedTask(current, changes, this.#now()));
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
    if ((await this.#removeEach(hasText(text))) === 0) throw notFound(text);
  }

  /** @throws {TaskNotFoundError} when no task has exactly this text. */
  async updateByText(text: string, changes: TaskChanges): Promise<TaskState[]> {
    const updated: TaskState[] = [];
    let batch: TaskState[] = [];
    do {
      const after = batch.at(-1);
      batch = await this.#liveBatch({ ...hasText(text), ...(after && { _id: { $gt: after._id } }) });
      for (let i = 0; i < batch.length; i += CONCURRENCY) {
        const changed = batch.slice(i, i + CONCURRENCY).map((task) => this.#changeIfText(task, text, changes));
        updated.push(...(await Promise.all(changed)).filter((task) => task !== undefined));
      }
    } while (batch.length === BATCH);
    if (updated.length === 0) throw notFound(text);
    return updated;
  }

  async #change(id: string, conditions: Conditions, next: (current: TaskState) => TaskState): Promise<TaskState> {
    for (;;) {
      const current = await this.#read(id);
      const isMissing = current === undefined || isDeleted(current);
      // Before the 404: RFC 9110, section 13.1.1 has If-Match fail when there is nothing to match.
      if (conditions.ifMatch !== undefined || !isMissing) {
        assertPreconditions(conditions, isMissing ? undefined : tagOf(current));
      }
      if (isMissing) throw notFound(id);
      const state = next(current);
      if (await this.#swap(current, state)) return state;
    }
  }

  async #changeIfText(found: TaskState, text: string, changes: TaskChanges): Promise<TaskState | undefined> {
    let current: TaskState | undefined = found;
    while (current !== undefined) {
      const next = changedTask(current, changes, this.#now());
      if (await this.#swap(current, next)) return next;
      // Somebody changed it meanwhile; it may have another text by now.
      current = await this.#tasks.findOne({ _id: equals(current._id), ...LIVE, ...hasText(text) });
    }
    return undefined;
  }

  async #removeEach(where: Where<TaskDocument>): Promise<number> {
    let removed = 0;
    let batch: TaskState[];
    do {
      batch = await this.#liveBatch(where);
      if (batch.length === 0) break;
      const now = this.#now();
      removed += await this.#tasks.replaceEach(
        batch.map(({ _id }) => ({ where: { _id: equals(_id), ...LIVE, ...where }, document: tombstone(_id, now) })),
      );
    } while (batch.length === BATCH);
    return removed;
  }

  async #liveBatch(where: Where<TaskDocument>): Promise<TaskState[]> {
    return await this.#tasks.find({ ...LIVE, ...where }, { sort: { _id: 1 }, limit: BATCH });
  }

  async #read(id: string): Promise<TaskState | undefined> {
    return await this.#tasks.findOne({ _id: equals(new mongoose.Types.ObjectId(id)) });
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

function order(sort: Listing['sort']): Record<string, 1 | -1> {
  const direction = sort.isDescending ? -1 : 1;
  return { [sort.field]: direction, _id: direction };
}
