/**
 * A task, or with `me` in place of its id the caller's tasks. The document can hold only one entry for what are two
 * routes: it tells paths apart by their shape, not by what a parameter looks like.
 */
import { newTaskBody, patchBody, selectionBody } from '../bodies.ts';
import { answer, BODY, headOf, json, schema, signedInOperation as operation } from '../build.ts';
import { doneExample, doneListExample, listExample, taskExample } from '../examples.ts';
import type { PathItem, Schema } from '../types.ts';

const taskOrTasks: Schema = { oneOf: [schema('Task'), schema('Tasks')] };

const get = operation({
  id: 'GetTask',
  tag: 'Tasks',
  summary: 'One task',
  description:
    'With `me` or your own `oid` in place of the id: the same as `GET /api/tasks`, with the same parameters.',
  parameters: ['IfNoneMatch', 'Limit', 'Sort', 'Completed', 'DueAfter', 'DueBefore', 'Contains', 'Cursor'],
  answers: {
    200: answer('The task, or a page of tasks', json(taskOrTasks, { ...taskExample, ...listExample }), [
      'ETag',
      'Link',
    ]),
    304: answer('You have it already', undefined, ['ETag', 'Link']),
  },
  problems: ['TaskNotFound', 'InvalidQuery'],
});

const replace = operation({
  id: 'ReplaceTask',
  tag: 'Tasks',
  summary: 'Replace a task, or create it with an id of your choice',
  description:
    'What the body lacks goes back to its default; `createdAt` stays. With `me` or your own `oid` in place of the id: ' +
    'changes `completed` and `date` of your tasks with exactly the text in the body, and answers them.',
  parameters: ['IfMatch', 'IfNoneMatch'],
  body: newTaskBody,
  answers: {
    200: answer('The task, or the tasks', json(taskOrTasks, { ...doneExample, ...doneListExample }), ['ETag']),
    201: answer('The new task', json(schema('Task'), taskExample), ['ETag', 'Location']),
  },
  problems: [...BODY, 'TaskNotFound', 'TaskExists', 'PreconditionFailed'],
});

const patch = operation({
  id: 'PatchTask',
  tag: 'Tasks',
  summary: 'Change members of a task',
  parameters: ['IfMatch', 'IfNoneMatch'],
  body: patchBody,
  answers: { 200: answer('The task as it is now', json(schema('Task'), doneExample), ['ETag']) },
  problems: [...BODY, 'TaskNotFound', 'PreconditionFailed'],
});

const remove = operation({
  id: 'DeleteTask',
  tag: 'Tasks',
  summary: 'Delete a task',
  description:
    'With `me` or your own `oid` in place of the id: the same as `DELETE /api/tasks`, which is what text and body are for.',
  parameters: ['IfMatch', 'IfNoneMatch', 'Text', 'TaskText'],
  body: selectionBody,
  answers: { 204: answer('It is gone') },
  problems: [...BODY, 'InvalidQuery', 'TaskNotFound', 'PreconditionFailed'],
});

export const singlePaths: Record<string, PathItem> = {
  '/api/tasks/{id}': {
    parameters: [{ $ref: '#/components/parameters/IdOrOwner' }],
    get,
    head: headOf(get, 'HeadTask'),
    put: replace,
    patch,
    delete: remove,
  },
};
