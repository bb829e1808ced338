/** What travels in bodies, as JSON Schema 2020-12. */
import { problems } from './problems.ts';
import type { Schema } from './types.ts';

const text = {
  type: 'string',
  minLength: 1,
  maxLength: 4096,
  description: 'The task: 1 to 4,096 UTF-16 code units of well-formed Unicode, not all of them white space.',
};
const sameText = { ...text, description: 'The same as `Text`, under the name that the iOS client uses.' };
const time = (description: string): Schema => ({ type: 'string', format: 'date-time', description });
const due = {
  type: 'string',
  anyOf: [{ format: 'date-time' }, { format: 'date' }],
  description: 'When it is due: an RFC 3339 date-time, or `YYYY-MM-DD` for midnight UTC. Absent: the time of creation.',
};
const completed = { type: 'boolean', default: false, description: 'Whether it is done.' };
const id = { type: 'string', pattern: '^[0-9a-f]{24}$', description: 'Names the task; 24 hexadecimal digits.' };
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });

const task: Schema = {
  type: 'object',
  required: ['_id', 'Text', 'task', 'completed', 'date', 'completedAt', 'createdAt', 'updatedAt'],
  properties: {
    _id: id,
    Text: text,
    task: sameText,
    completed: { type: 'boolean', description: 'Whether it is done.' },
    date: time('When it is due.'),
    completedAt: { type: ['string', 'null'], format: 'date-time', description: 'When it was completed, if it is.' },
    createdAt: time('When it was created.'),
    updatedAt: time('When it was last written.'),
  },
};

const newTask: Schema = {
  type: 'object',
  description: 'Other members are ignored. Given both, `Text` and `task` must be the same.',
  anyOf: [{ required: ['Text'] }, { required: ['task'] }],
  properties: { Text: text, task: sameText, completed, date: due },
};

const taskForm: Schema = {
  ...newTask,
  description: 'The same members as a form, which has nothing but text.',
  properties: { Text: text, task: sameText, completed: { type: 'string', enum: ['true', 'false'] }, date: due },
};

const taskDetails: Schema = {
  type: 'object',
  description: 'What the URL does not say. A text in here must be the one in the URL.',
  properties: { Text: text, task: sameText, completed, date: due },
};

const taskPatch: Schema = {
  type: 'object',
  description: 'A JSON merge patch (RFC 7396): null sets a member back to what it is when absent. A task needs a text.',
  properties: { Text: text, task: sameText, completed: orNull(completed), date: orNull(due) },
};

const selection: Schema = {
  type: 'object',
  description: 'The text of the tasks that are meant.',
  anyOf: [{ required: ['Text'] }, { required: ['task'] }],
  properties: { Text: text, task: sameText },
};

const changes: Schema = {
  type: 'object',
  required: ['changed', 'removed', 'next', 'more'],
  properties: {
    changed: { type: 'array', items: { $ref: '#/components/schemas/Task' }, description: 'As they are now.' },
    removed: { type: 'array', items: id, description: 'Ids of tasks that are gone.' },
    next: { type: 'string', description: 'Send it as `since` to go on from here. Good for 30 days.' },
    more: { type: 'boolean', description: 'Whether there is more to fetch at once.' },
  },
};

const problem: Schema = {
  type: 'object',
  description: 'RFC 9457, with `code` and `message` as restify has them. `code` is for programs and never changes.',
  required: ['type', 'title', 'status', 'detail', 'code', 'message', 'requestId'],
  properties: {
    type: { const: 'about:blank' },
    title: { type: 'string', description: 'The phrase that HTTP has for the status.' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'For a person: what is wrong, and what to do.' },
    code: { type: 'string', enum: [...problems.keys()] },
    message: { type: 'string', description: 'The same as `detail`.' },
    requestId: { type: 'string', description: 'Names this request in the logs; also in `X-Request-Id`.' },
  },
};

export const schemas = {
  Task: task,
  Tasks: { type: 'array', items: { $ref: '#/components/schemas/Task' } },
  NewTask: newTask,
  TaskForm: taskForm,
  TaskDetails: taskDetails,
  TaskPatch: taskPatch,
  Selection: selection,
  Changes: changes,
  Caller: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
  Routes: { type: 'array', items: { type: 'string', pattern: '^[A-Z]+ /' } },
  Status: { type: 'object', required: ['status'], properties: { status: { enum: ['ok', 'ready'] } } },
  Problem: problem,
} satisfies Record<string, Schema>;

export type SchemaName = keyof typeof schemas;
