import type { Parameter } from './types.ts';

const time = { type: 'string', anyOf: [{ format: 'date-time' }, { format: 'date' }] };

export const parameters = {
  IdOrOwner: {
    name: 'id',
    in: 'path',
    required: true,
    description: 'A task’s id (24 hexadecimal digits), or `me` or your own `oid` for your tasks as a whole.',
    schema: { type: 'string' },
    example: '6742d0c4e1a2b3c4d5e6f708',
  },
  Owner: {
    name: 'owner',
    in: 'path',
    required: true,
    description: '`me`, or your own `oid`.',
    schema: { type: 'string' },
    example: 'me',
  },
  TaskName: {
    name: 'task',
    in: 'path',
    required: true,
    description: 'The text of the task, percent-encoded; to delete, its id or its exact text.',
    schema: { type: 'string', minLength: 1, maxLength: 4096 },
    example: 'Buy milk',
  },
  Limit: {
    name: 'limit',
    in: 'query',
    description: 'How many at most.',
    schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
  },
  ChangesLimit: {
    name: 'limit',
    in: 'query',
    description: 'How many changes at most.',
    schema: { type: 'integer', minimum: 1, maximum: 100, default: 100 },
  },
  FirstClientsLimit: {
    name: 'limit',
    in: 'query',
    description: 'How many at most. 1,000 when absent, since the first clients cannot page.',
    schema: { type: 'integer', minimum: 1, maximum: 100 },
  },
  Sort: {
    name: 'sort',
    in: 'query',
    description: 'The order, descending with a `-`. Ties are broken by `_id`.',
    schema: { enum: ['date', '-date', 'createdAt', '-createdAt', 'updatedAt', '-updatedAt'], default: 'date' },
  },
  Completed: {
    name: 'completed',
    in: 'query',
    description: 'Only those that are done, or only those that are not.',
    schema: { type: 'boolean' },
  },
  DueAfter: { name: 'dueAfter', in: 'query', description: 'Due then or later.', schema: time, example: '2026-11-24' },
  DueBefore: { name: 'dueBefore', in: 'query', description: 'Due before then.', schema: time, example: '2026-12-01' },
  Contains: {
    name: 'q',
    in: 'query',
    description: 'Only those whose text contains this, in any case.',
    schema: { type: 'string', maxLength: 4096 },
    example: 'milk',
  },
  Cursor: {
    name: 'cursor',
    in: 'query',
    description: 'Where the page begins. Opaque: follow the `Link` of the page before it.',
    schema: { type: 'string' },
  },
  Since: {
    name: 'since',
    in: 'query',
    description: 'The `next` of the last answer. Absent: everything.',
    schema: { type: 'string' },
  },
  Text: {
    name: 'Text',
    in: 'query',
    description: 'The text of the tasks that are meant, in place of a body.',
    schema: { type: 'string', minLength: 1, maxLength: 4096 },
    example: 'Buy milk',
  },
  TaskText: {
    name: 'task',
    in: 'query',
    description: 'The same as `Text`.',
    schema: { type: 'string', minLength: 1, maxLength: 4096 },
    example: 'Buy milk',
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'Write only if the task still has this `ETag`, or, with `*`, if there is one.',
    schema: { type: 'string' },
    example: '"6742d0c4e1a2b3c4d5e6f709"',
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'Send nothing (304) if this `ETag` is still the current one. With `*` on `PUT`: only create.',
    schema: { type: 'string' },
    example: '"6742d0c4e1a2b3c4d5e6f709"',
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'New for each task, the same when the request is repeated: for 24 hours a repeat creates nothing.',
    schema: { type: 'string', pattern: '^[\\x21-\\x7E]{1,255}$' },
    example: '8e03978e-40d5-43dd-bc93-6894a57f9324',
  },
} satisfies Record<string, Parameter>;

export type ParameterName = keyof typeof parameters;
