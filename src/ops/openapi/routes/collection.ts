import { newTaskBody, selectionBody } from '../bodies.ts';
import { answer, BODY, headOf, json, schema, signedInOperation as operation } from '../build.ts';
import { listExample, taskExample } from '../examples.ts';
import type { PathItem } from '../types.ts';

const list = operation({
  id: 'ListTasks',
  tag: 'Tasks',
  summary: 'Your tasks',
  description: 'Twenty tasks, the oldest `date` first, unless asked otherwise. `Link` leads to the next page.',
  parameters: ['Limit', 'Sort', 'Completed', 'DueAfter', 'DueBefore', 'Contains', 'Cursor', 'IfNoneMatch'],
  answers: {
    200: answer('A page of tasks', json(schema('Tasks'), listExample), ['ETag', 'Link']),
    304: answer('You have this page already', undefined, ['ETag', 'Link']),
  },
  problems: ['InvalidQuery'],
});

const create = operation({
  id: 'CreateTask',
  tag: 'Tasks',
  summary: 'Create a task',
  description: 'With an `Idempotency-Key` the request may be repeated until it is answered: it creates one task.',
  parameters: ['IdempotencyKey'],
  body: newTaskBody,
  answers: { 201: answer('The new task', json(schema('Task'), taskExample), ['ETag', 'Location']) },
  problems: [...BODY, 'IdempotencyKeyReused'],
});

const removeMany = operation({
  id: 'DeleteTasks',
  tag: 'Tasks',
  summary: 'Delete the tasks with a text, or all of them',
  description:
    'With a text in the body or the query: your tasks with exactly that text. With no body, no query and no ' +
    '`Content-Type` at all: **all** your tasks. Anything else, a slash too many in the path included, deletes nothing.',
  parameters: ['Text', 'TaskText'],
  body: selectionBody,
  answers: { 204: answer('They are gone') },
  problems: [...BODY, 'InvalidQuery', 'TaskNotFound', 'PreconditionFailed'],
});

export const collectionPaths: Record<string, PathItem> = {
  '/api/tasks': { get: list, head: headOf(list, 'HeadTasks'), post: create, delete: removeMany },
};
