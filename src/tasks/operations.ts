/** Every operation on tasks, declared once. */
import {
  IdempotencyKeyReusedError,
  InvalidQueryError,
  InvalidTaskError,
  MissingTaskError,
  PreconditionFailedError,
  SyncTokenExpiredError,
  TaskExistsError,
  TaskNotFoundError,
  TooManyTasksError,
} from '../errors.ts';
import { IGNORED_BODY } from '../http/body.ts';
import type { Guard, Operation, ReadBody } from '../http/operation.ts';
import { answer, example } from '../http/schema.ts';
import { batchOperation } from './batch.ts';
import { onlyOwn, taskHandlers, type TaskParts } from './handlers.ts';
import {
  bodies,
  changes,
  createdAnswer,
  doneExample,
  doneListExample,
  pageAnswers,
  parameters,
  TASK,
  taskAnswer,
  tasks,
} from './schemas.ts';

export interface TaskOperationParts extends TaskParts {
  toRead: Guard;
  toWrite: Guard;
  /** For anyone signed in: each operation of a batch checks the scope that it needs. */
  known: Guard;
  readBody: ReadBody;
  /** Milliseconds after which a batch starts no further operation. */
  batchMs: number;
}

const ALL = '/api/tasks';
// The router prefers a fixed path to any parameter.
const CHANGES = '/api/tasks/changes';
// The router tries a parameter with a pattern first, so an id is an id and never an owner.
const ONE = '/api/tasks/:id([0-9a-fA-F]{24})';
const OWN = '/api/tasks/:owner';
const NAMED = '/api/tasks/:owner/:task';

/**
 * The original iOS and Android apps call `/tasks` and nothing else. They delete by text, read the list as one bare array,
 * cannot page, and know nothing of errors: iOS crashes on a JSON object where it expects the list.
 */
const firstClients = { path: '/tasks', tag: 'First clients', isPlainText: true, isDeprecated: true } as const;

const BAD_TASK = [InvalidTaskError, MissingTaskError];
const gone = { 204: answer('Deleted') };

export function taskOperations(parts: TaskOperationParts): Operation[] {
  const { toRead, toWrite, known, readBody, batchMs } = parts;
  const handle = taskHandlers(parts);

  const listTasks: Operation = {
    name: 'ListTasks',
    method: 'GET',
    path: ALL,
    guard: toRead,
    tag: 'Tasks',
    summary: 'Your tasks',
    description:
      'By default 20 tasks, the oldest `date` first. `Link` leads to the next page. A page also ends at 1 MB.',
    parameters: parameters.list,
    answers: pageAnswers,
    problems: [InvalidQueryError, PreconditionFailedError],
    handle: handle.listTasks,
  };
  const createTask: Operation = {
    name: 'CreateTask',
    method: 'POST',
    path: ALL,
    guard: toWrite,
    tag: 'Tasks',
    summary: 'Create a task',
    description: 'With an `Idempotency-Key` you may repeat the request until it is answered: it creates only one task.',
    parameters: [parameters.idempotencyKey],
    body: readBody(bodies.newTask),
    answers: { 201: createdAnswer },
    problems: [...BAD_TASK, TooManyTasksError, IdempotencyKeyReusedError],
    handle: handle.createTask,
  };
  const deleteTasks: Operation = {
    name: 'DeleteTasks',
    method: 'DELETE',
    path: ALL,
    guard: toWrite,
    tag: 'Tasks',
    summary: 'Delete the tasks with a text, or all of them',
    description:
      'With a text in the body or the query: your tasks with exactly that text. With `all=true` and no text: **all** your ' +
      'tasks. Anything else, even an extra slash in the path, deletes nothing.',
    parameters: [...parameters.selection, parameters.all, ...parameters.write],
    body: readBody(bodies.selection),
    answers: gone,
    problems: [...BAD_TASK, InvalidQueryError, TaskNotFoundError, PreconditionFailedError],
    handle: handle.deleteTasks,
  };
  const onOne = { path: ONE, tag: 'Tasks' } as const;
  const byText = { tag: 'Tasks by text' } as const;

  return [
    listTasks,
    createTask,
    deleteTasks,
    {
      name: 'ListChanges',
      method: 'GET',
      path: CHANGES,
      guard: toRead,
      tag: 'Sync',
      summary: 'What changed since the last time',
      description:
        'Keep `next` and send it as `since` next time. While `more` is true, ask again at once. No change is ever missed, ' +
        'but one may come twice. Without `since` you get every task there is now but no earlier removals, so start with an ' +
        'empty copy. A task in `removed` is gone, whatever came before.',
      parameters: parameters.changes,
      answers: {
        200: answer('What changed', changes, {
          changes: example('One task is new, another gone', {
            changed: [TASK],
            removed: ['6742d0c4e1a2b3c4d5e6f700'],
            next: 'WzEsMTc5NTUxNjIwMDAwMCwicTNZazB2VDFhWGJNIiw3LCIiLDNd',
            more: false,
          }),
        }),
      },
      problems: [InvalidQueryError, SyncTokenExpiredError],
      handle: handle.listChanges,
    },
    {
      ...onOne,
      name: 'GetTask',
      method: 'GET',
      guard: toRead,
      summary: 'One task',
      description: 'Send its `ETag` as `If-Match` when you write, so as not to overwrite a change from another device.',
      parameters: [parameters.id, ...parameters.read],
      answers: {
        200: taskAnswer('The task'),
        304: answer('Your copy is current', undefined, undefined, ['ETag']),
      },
      problems: [TaskNotFoundError, PreconditionFailedError],
      handle: handle.getTask,
    },
    {
      ...onOne,
      name: 'ReplaceTask',
      method: 'PUT',
      guard: toWrite,
      summary: 'Replace a task, or create it with an id of your choice',
      description: 'Members that the body omits return to their defaults; `createdAt` stays.',
      parameters: [parameters.id, ...parameters.replace],
      body: readBody(bodies.newTask),
      answers: { 200: taskAnswer('The task', doneExample), 201: createdAnswer },
      problems: [...BAD_TASK, TaskExistsError, TooManyTasksError, PreconditionFailedError],
      handle: handle.replaceTask,
    },
    {
      ...onOne,
      name: 'PatchTask',
      method: 'PATCH',
      guard: toWrite,
      summary: 'Change members of a task',
      description: 'Members that the body omits stay as they are.',
      parameters: [parameters.id, ...parameters.write],
      body: readBody(bodies.patch),
      answers: { 200: taskAnswer('The task as it is now', doneExample) },
      problems: [...BAD_TASK, TaskNotFoundError, PreconditionFailedError],
      handle: handle.patchTask,
    },
    {
      ...onOne,
      name: 'DeleteTask',
      method: 'DELETE',
      guard: toWrite,
      summary: 'Delete a task',
      description: 'Permanently. Deleting it again is 404 `TaskNotFound`, which a client may treat as success.',
      parameters: [parameters.id, ...parameters.write],
      body: readBody(IGNORED_BODY),
      answers: gone,
      problems: [TaskNotFoundError, PreconditionFailedError],
      handle: handle.deleteTask,
    },
    {
      ...listTasks,
      name: 'ListOwnTasks',
      path: OWN,
      summary: 'Your tasks, as in the tutorial',
      description: 'The same as `GET /api/tasks`. Your own `oid` works in place of `me`.',
      problems: [InvalidQueryError, PreconditionFailedError, TaskNotFoundError],
      handle: onlyOwn(handle.listTasks),
    },
    {
      ...byText,
      name: 'UpdateOwnTasks',
      method: 'PUT',
      path: OWN,
      guard: toWrite,
      summary: 'Change all your tasks with one text',
      description:
        'Sets the other members of the body in all your tasks with exactly its text, and returns them. If they do not fit ' +
        'into 1 MB, `X-Tasks-Changed` says how many more were changed.',
      parameters: parameters.write,
      body: readBody(bodies.newTask),
      answers: { 200: answer('The tasks', tasks, doneListExample, ['ETag', 'X-Tasks-Changed']) },
      problems: [...BAD_TASK, TaskNotFoundError, PreconditionFailedError],
      handle: onlyOwn(handle.updateTasks),
    },
    {
      ...deleteTasks,
      ...byText,
      name: 'DeleteOwnTasks',
      path: OWN,
      description: 'The same as `DELETE /api/tasks`.',
      handle: onlyOwn(handle.deleteTasks),
    },
    {
      ...createTask,
      ...byText,
      name: 'CreateNamedTask',
      path: NAMED,
      summary: 'Create a task from its URL',
      description: 'A text in the body must be the same as in the URL.',
      parameters: [parameters.task, parameters.idempotencyKey],
      body: readBody(bodies.details),
      problems: [...BAD_TASK, TaskNotFoundError, TooManyTasksError, IdempotencyKeyReusedError],
      handle: onlyOwn(handle.createNamedTask),
    },
    {
      ...byText,
      name: 'DeleteNamedTask',
      method: 'DELETE',
      path: NAMED,
      guard: toWrite,
      summary: 'Delete by id, or all your tasks with exactly this text',
      description: 'An id takes precedence over a text.',
      parameters: [parameters.task, ...parameters.write],
      body: readBody(IGNORED_BODY),
      answers: gone,
      problems: [...BAD_TASK, TaskNotFoundError, PreconditionFailedError],
      handle: onlyOwn(handle.deleteNamedTask),
    },
    {
      ...listTasks,
      ...firstClients,
      name: 'FirstClientsListTasks',
      summary: 'Your tasks, as one array on one line',
      description: 'Like `GET /api/tasks`, but 1,000 tasks by default.',
      parameters: parameters.firstClientsList,
      handle: handle.listTasksAtOnce,
    },
    {
      ...createTask,
      ...firstClients,
      name: 'FirstClientsCreateTask',
      description: 'Like `POST /api/tasks`, but a body that is not valid UTF-8 is read as Latin-1.',
      // The Android app sends the low bytes of its characters, whatever charset it declares.
      body: readBody(bodies.newTask, { isLatin1Accepted: true }),
    },
    {
      ...deleteTasks,
      ...firstClients,
      name: 'FirstClientsDeleteTasks',
      summary: 'Delete the tasks with a text',
      description: 'Like `DELETE /api/tasks`, but never without a text.',
      parameters: [...parameters.selection, ...parameters.write],
      body: readBody(bodies.selection, { isLatin1Accepted: true }),
      handle: handle.deleteTasksByText,
    },
    batchOperation(known, readBody, batchMs),
  ];
}

/** Whether errors on this path must be `text/plain`. */
export function isFirstClientPath(path: string): boolean {
  return /^\/+tasks(?:\/|$)/.test(path);
}
