/** The routes that the original iOS and Android apps call. */
import { newTaskBody, selectionBody } from '../bodies.ts';
import { answer, BODY, headOf, json, schema, signedInOperation, type OperationParts } from '../build.ts';
import { listExample, taskExample } from '../examples.ts';
import type { Operation, PathItem } from '../types.ts';

function operation(parts: Omit<OperationParts, 'tag' | 'isPlainText' | 'isDeprecated'>): Operation {
  return signedInOperation({ ...parts, tag: 'First clients', isPlainText: true, isDeprecated: true });
}

const list = operation({
  id: 'FirstClientsListTasks',
  summary: 'Your tasks, as one array on one line',
  description: 'As `GET /api/tasks`, but 1,000 tasks unless asked otherwise.',
  parameters: ['FirstClientsLimit', 'Sort', 'Completed', 'DueAfter', 'DueBefore', 'Contains', 'Cursor', 'IfNoneMatch'],
  answers: {
    200: answer('The tasks', json(schema('Tasks'), listExample), ['ETag', 'Link']),
    304: answer('You have them already', undefined, ['ETag', 'Link']),
  },
  problems: ['InvalidQuery'],
});

const create = operation({
  id: 'FirstClientsCreateTask',
  summary: 'Create a task',
  description: 'As `POST /api/tasks`, but a body that is not valid UTF-8 is read as Latin-1.',
  parameters: ['IdempotencyKey'],
  body: newTaskBody,
  answers: { 201: answer('The new task', json(schema('Task'), taskExample), ['ETag', 'Location']) },
  problems: [...BODY, 'IdempotencyKeyReused'],
});

const removeMany = operation({
  id: 'FirstClientsDeleteTasks',
  summary: 'Delete the tasks with a text',
  description: 'As `DELETE /api/tasks`, but never without a text.',
  parameters: ['Text', 'TaskText'],
  body: selectionBody,
  answers: { 204: answer('They are gone') },
  problems: [...BODY, 'InvalidQuery', 'TaskNotFound', 'PreconditionFailed'],
});

export const firstClientsPaths: Record<string, PathItem> = {
  '/tasks': { get: list, head: headOf(list, 'FirstClientsHeadTasks'), post: create, delete: removeMany },
};
