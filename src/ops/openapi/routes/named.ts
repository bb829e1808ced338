import { detailsBody } from '../bodies.ts';
import { answer, BODY, json, schema, signedInOperation as operation } from '../build.ts';
import { taskExample } from '../examples.ts';
import type { PathItem } from '../types.ts';

const create = operation({
  id: 'CreateNamedTask',
  tag: 'Tasks by text',
  summary: 'Create a task from its URL',
  parameters: ['IdempotencyKey'],
  body: detailsBody,
  answers: { 201: answer('The new task', json(schema('Task'), taskExample), ['ETag', 'Location']) },
  problems: [...BODY, 'TaskNotFound', 'IdempotencyKeyReused'],
});

const remove = operation({
  id: 'DeleteNamedTask',
  tag: 'Tasks by text',
  summary: 'Delete by id, or all your tasks with exactly this text',
  description: 'An id comes before a text.',
  parameters: ['IfMatch', 'IfNoneMatch'],
  answers: { 204: answer('It is gone') },
  problems: [...BODY, 'TaskNotFound', 'PreconditionFailed'],
});

export const namedPaths: Record<string, PathItem> = {
  '/api/tasks/{owner}/{task}': {
    parameters: [{ $ref: '#/components/parameters/Owner' }, { $ref: '#/components/parameters/TaskName' }],
    post: create,
    delete: remove,
  },
};
