/** What the operations on tasks do: each takes what was read and returns an answer. */
import { hash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import {
  InvalidContentError,
  InvalidQueryError,
  MethodNotAllowedError,
  MissingTaskError,
  PreconditionFailedError,
  TaskNotFoundError,
} from '../errors.ts';
import { canonicalId } from '../guid.ts';
import { type Answer, noContent } from '../http/answer.ts';
import { readConditions } from '../http/conditional.ts';
import type { Call } from '../http/operation.ts';
import type { Caller } from '../http/request.ts';
import { readQuery } from '../http/urlencoded.ts';
import { ChangesFeed } from './changes.ts';
import { createTask, readIdempotencyKey } from './creations.ts';
import { draftOf, isTaskId, tagOf, taskJson, type TaskState } from './document.ts';
import type { TaskInput } from './input.ts';
import { checkText, membersOf, readPatch, readSelection, readTask, readTaskNamed, readUpdate } from './input.ts';
import { DEFAULT_LIMIT, MAX_LIMIT, readLimit, readListing, referenceToNext } from './listing.ts';
import type { TaskModels } from './model.ts';
import type { Life } from './owned.ts';
import { parameters } from './schemas.ts';
import { type Session, TaskStore } from './store.ts';

/** What all requests share. */
export interface TaskParts {
  models: TaskModels;
  clock: Clock;
  /** The caller's current life, for what is stored on their behalf. */
  lifeOf: (caller: Caller) => Life;
}

export type Handle = (call: Call) => Promise<Answer>;

/** What is described is what a list knows. */
const LIST_PARAMETERS = parameters.list.flatMap(({ value }) => (value.in === 'query' ? [value.name] : []));

/** By name: what each operation on tasks does. */
export function taskHandlers(parts: TaskParts) {
  // The store's time begins when the body is read, which is when a handler runs.
  const sessionOf = ({ caller, signal, extend }: Call): Session => ({
    models: parts.models,
    clock: parts.clock,
    owner: caller.oid,
    life: parts.lifeOf(caller),
    signal: signal(),
    extend,
  });
  const storeOf = (call: Call): TaskStore => new TaskStore(sessionOf(call));

  async function list(call: Call, defaultLimit: number, isStrict: boolean): Promise<Answer> {
    const query = readQuery(call.query, LIST_PARAMETERS, isStrict);
    const { page, next } = await storeOf(call).list(readListing(query, defaultLimit));
    const link = next === undefined ? '' : `<${referenceToNext(query, next)}>; rel="next"`;
    const etag = tagOfAll(page.tasks, link);
    return { status: 200, body: page.json, etag, ...(link !== '' && { headers: { Link: link } }) };
  }

  async function create(call: Call, input: TaskInput): Promise<Answer> {
    const key = readIdempotencyKey(call.headers);
    return created(call, await createTask(sessionOf(call), draftOf(input), key, call.path));
  }

  async function deleteById(call: Call, id: string): Promise<Answer> {
    await storeOf(call).remove(id, readConditions(call.headers));
    return noContent;
  }

  async function deleteTasks(call: Call, isAll: boolean): Promise<Answer> {
    // An older client with a missing id: it meant to delete one task.
    if (call.path !== call.receivedPath) throw new MissingTaskError(HOW_TO_DELETE);
    refuseTags(call);
    const text = readSelection(membersOf(call), readQuery(call.query, ['Text', 'task']));
    if (text === undefined && !isAll) throw new MissingTaskError(HOW_TO_DELETE);
    const store = storeOf(call);
    await (text === undefined ? store.removeAll() : store.removeByText(text));
    return noContent;
  }

  return {
    listTasks: async (call) => await list(call, DEFAULT_LIMIT, true),
    // The first clients show only the first answer, and cannot ask for more.
    listTasksAtOnce: async (call) => await list(call, 1000, false),

    createTask: async (call) => await create(call, readTask(call)),

    deleteTasks: async (call) => {
      const { all } = readQuery(call.query, ['all']);
      if (all !== undefined && all !== 'true') throw new InvalidQueryError('all must be true');
      return await deleteTasks(call, all === 'true');
    },
    deleteTasksByText: async (call) => await deleteTasks(call, false),

    getTask: async (call) => one(await storeOf(call).get(parameterOf(call, 'id'))),

    replaceTask: async (call) => {
      const input = readTask(call);
      const { task, isNew } = await storeOf(call).replace(parameterOf(call, 'id'), input, readConditions(call.headers));
      return isNew ? created(call, task) : one(task);
    },

    patchTask: async (call) => {
      if (call.body === undefined) throw new InvalidContentError('a patch must be a JSON object: send the changes');
      const input = readPatch(call);
      return one(await storeOf(call).patch(parameterOf(call, 'id'), input, readConditions(call.headers)));
    },

    deleteTask: async (call) => await deleteById(call, parameterOf(call, 'id')),

    listChanges: async (call) => {
      const query = readQuery(call.query, ['since', 'limit'], true);
      const limit = readLimit(query, MAX_LIMIT);
      const { changed, removed, next, hasMore } = await new ChangesFeed(sessionOf(call)).read(query.since, limit);
      const rest = JSON.stringify({ removed: removed.map((id) => id.toHexString()), next, more: hasMore });
      return { status: 200, body: `{"changed":[${changed.map(taskJson).join(',')}],${rest.slice(1)}` };
    },

    updateTasks: async (call) => {
      refuseTags(call);
      const { text, changes } = readUpdate(call);
      const { page, count } = await storeOf(call).updateByText(text, changes);
      const more = count - page.tasks.length;
      return {
        status: 200,
        body: page.json,
        etag: tagOfAll(page.tasks, ''),
        ...(more > 0 && { headers: { 'X-Tasks-Changed': String(more) } }),
      };
    },

    createNamedTask: async (call) => await create(call, readTaskNamed(parameterOf(call, 'task'), call)),

    // An id takes precedence over a text.
    deleteNamedTask: async (call) => {
      const name = parameterOf(call, 'task');
      try {
        if (isTaskId(name)) return await deleteById(call, name);
      } catch (error) {
        if (!(error instanceof TaskNotFoundError)) throw error;
      }
      refuseTags(call);
      await storeOf(call).removeByText(checkText(name));
      return noContent;
    },
  } satisfies Record<string, Handle>;
}

/**
 * For a path with an owner in it: accepts the caller's own `oid` and `me`.
 *
 * @throws {TaskNotFoundError} for anyone else: whether they exist is nobody's business.
 */
export function onlyOwn(handle: Handle): Handle {
  return async (call) => {
    const { owner = '', task } = call.params;
    if (owner === 'me' || canonicalId(owner) === call.caller.oid) return await handle(call);
    if (owner === 'changes' && task === undefined) throw new MethodNotAllowedError('GET, HEAD, OPTIONS');
    throw new TaskNotFoundError(owner);
  };
}

const HOW_TO_DELETE = 'send the text of the tasks to delete, or all=true in the query to delete all your tasks';

function parameterOf({ params }: Call, name: string): string {
  return params[name] ?? '';
}

function one(task: TaskState): Answer {
  return { status: 200, body: taskJson(task), etag: tagOf(task) };
}

const MAX_REFERENCE_CHARS = 1_024;

function created({ receivedPath }: Call, task: TaskState): Answer {
  const reference = referenceToTask(receivedPath, task._id.toHexString());
  // A path of slashes could make it longer than proxies allow.
  const headers = reference.length > MAX_REFERENCE_CHARS ? {} : { Location: reference };
  return { ...one(task), status: 201, headers };
}

/**
 * Where a task is, relative to the requested URL (RFC 3986, section 4.2). A proxy may serve us under a path prefix that we
 * never see: a reference that starts with a slash would bypass it.
 *
 * @param receivedPath the path with the slashes that the client sent: the client resolves against that.
 */
export function referenceToTask(receivedPath: string, id: string): string {
  const folders = receivedPath.split('/').length - 2;
  return `${'../'.repeat(folders)}api/tasks/${id}`;
}

/** The tag of a list, which is determined by the states of its tasks and where it ends. */
function tagOfAll(tasks: readonly TaskState[], link: string): string {
  return hash('sha256', link + tasks.map(tagOf).join(''), 'base64url').slice(0, 27);
}

/** Many tasks have no common version that a write could compare in one step, so no tag matches them; `*` does. */
function refuseTags({ headers }: Call): void {
  const { ifMatch, ifNoneMatch } = readConditions(headers);
  if ((ifMatch === undefined || ifMatch === '*') && ifNoneMatch === undefined) return;
  throw new PreconditionFailedError('conditions apply to a single task: send them to /api/tasks/<id>');
}
