/** What the API document says about tasks: schemas, parameters and examples. */
import {
  answer,
  type AnswerSchema,
  example,
  ifNoneMatch,
  inPath,
  objectSchema,
  parameter,
  type Schema,
  schema,
  tagHeader,
} from '../http/schema.ts';
import { IDEMPOTENCY_KEY } from './creations.ts';
import { MAX_TEXT_LENGTH } from './input.ts';
import { DEFAULT_LIMIT, MAX_LIMIT, MAX_SEARCH_LENGTH, SORTS } from './listing.ts';
import { memberList, members } from './members.ts';

const text = {
  type: 'string',
  minLength: 1,
  maxLength: MAX_TEXT_LENGTH,
  description: 'The task: 1 to 4,096 UTF-16 code units of well-formed Unicode, not all of them white space.',
};
const sameText = { ...text, description: 'The same as `Text`, under the name that the iOS client uses.' };
const DUE =
  'When it is due: an RFC 3339 date-time, `YYYY-MM-DD` for a whole day, which has no time zone, or null for never.';
// No `format`: what generators make of one differs, and not all of it reads milliseconds.
const time = (description: string): Schema => ({ type: 'string', description: `${description} RFC 3339, in UTC.` });
const id = { type: 'string', pattern: '^[0-9a-f]{24}$', description: 'Names the task; 24 hexadecimal digits.' };
const orNull = (of: Schema): Schema => ({
  ...of,
  type: [of['type'], 'null'],
  ...(Array.isArray(of['enum']) && { enum: [...(of['enum'] as unknown[]), null] }),
});

/** The members of the table, as a task shows them. */
const shown = Object.fromEntries(
  memberList.map(([name, { schema, absent }]) => [name, absent === null ? orNull(schema) : schema]),
);
/** The same as a client may send them: null means absent. */
const sent = Object.fromEntries(memberList.map(([name, { schema }]) => [name, orNull(schema)]));
const task = objectSchema('Task', {
  _id: id,
  Text: text,
  task: sameText,
  date: time(
    'When it is due, as an instant: midnight UTC for a whole day, the time of creation if there is no due date.',
  ),
  due: orNull({
    type: 'string',
    description: 'The due date as the client gave it: null, `YYYY-MM-DD`, or a date-time.',
  }),
  ...shown,
  completedAt: orNull(time('When it was completed; null if it is not.')),
  createdAt: time('When it was created.'),
  updatedAt: time('When it was last written.'),
});

export const tasks = schema('Tasks', { type: 'array', items: task });

const due = { type: ['string', 'null'], description: DUE };
const date = { ...due, description: `${DUE} The same as \`due\` under its old name.` };
/** What a client may send besides the text. */
const told = { due, date, ...sent };

const newTask = schema('NewTask', {
  type: 'object',
  description: 'Other members are ignored. `task` is accepted in place of `Text`.',
  required: ['Text'],
  properties: { Text: text, ...told },
});

const taskDetails = schema('TaskDetails', {
  type: 'object',
  description: 'Everything but the text, which is in the URL.',
  properties: told,
});

const taskPatch = schema('TaskPatch', {
  type: 'object',
  description:
    'A JSON merge patch (RFC 7396): omitted members stay, null resets a member to its default, arrays are replaced whole.',
  properties: { Text: text, ...told },
});

const selection = objectSchema('Selection', { Text: text }, { description: 'The text of the tasks to select.' });

export const changes = objectSchema('Changes', {
  changed: { type: 'array', items: task, description: 'The tasks as they are now.' },
  removed: { type: 'array', items: id, description: 'Ids of tasks that are gone.' },
  next: { type: 'string', description: 'Send it as `since` to continue from here. Valid for 30 days.' },
  more: { type: 'boolean', description: 'Whether there is more to fetch at once.' },
});

const FORM = 'application/x-www-form-urlencoded';

export const TASK = {
  _id: '6742d0c4e1a2b3c4d5e6f708',
  Text: 'Buy milk',
  task: 'Buy milk',
  completed: false,
  date: '2026-11-24T00:00:00.000Z',
  due: '2026-11-24',
  completedAt: null,
  notes: null,
  importance: 'normal',
  categories: ['Home'],
  checklist: [{ text: 'Oat or cow?', completed: true }],
  remindAt: '2026-11-24T16:30:00.000Z',
  position: null,
  createdAt: '2026-11-23T09:00:00.000Z',
  updatedAt: '2026-11-23T09:00:00.000Z',
};
const DONE = {
  ...TASK,
  completed: true,
  completedAt: '2026-11-24T10:30:00.000Z',
  updatedAt: '2026-11-24T10:30:00.000Z',
};

const taskExample = { task: example('A task', TASK) };
export const doneExample = { task: example('The task, done', DONE) };
export const doneListExample = { tasks: example('The tasks, done', [DONE]) };
const taskExamples = {
  text: example('Only a text', { Text: 'Buy milk' }),
  more: example('With more', { Text: 'Buy milk', due: '2026-11-24', importance: 'high', categories: ['Home'] }),
};
const formExample = { form: example('Sent as Text=Buy+milk', { Text: 'Buy milk' }) };
const dueExample = { due: example('When it is due', { due: '2026-11-24' }) };
const patchExamples = {
  done: example('It is done', { completed: true }),
  reset: example('No longer due', { due: null }),
};

/** What each body may contain; how it is read is decided where it is mounted. */
export const bodies = {
  newTask: {
    description:
      'The task. At most 64 KiB, like all bodies except a batch. A form cannot contain categories or a checklist.',
    isRequired: true,
    content: {
      'application/json': { schema: newTask, examples: taskExamples },
      // Not the same type: clients in Python send what is both as a form, which has no lists. Nor one that only a form has:
      // clients in Java import it, and do not have it.
      [FORM]: { schema: { type: 'string' }, examples: { form: example('A text', 'Text=Buy+milk') } },
    },
  },
  details: {
    description: 'Everything but the text; optional.',
    isRequired: false,
    content: { 'application/json': { schema: taskDetails, examples: dueExample } },
  },
  patch: {
    description: 'The members to change.',
    isRequired: true,
    content: {
      'application/merge-patch+json': { schema: taskPatch, examples: patchExamples },
      'application/json': { schema: taskPatch, examples: patchExamples },
    },
  },
  selection: {
    description: 'The text of the tasks to select.',
    isRequired: false,
    content: {
      'application/json': { schema: selection, examples: { text: example('By text', { Text: 'Buy milk' }) } },
      [FORM]: { schema: selection, examples: formExample },
    },
  },
};

export const taskAnswer = (description: string, examples = taskExample): AnswerSchema =>
  answer(description, task, examples, ['ETag']);
export const createdAnswer = answer('The new task', task, taskExample, ['ETag', 'Location']);
export const pageAnswers = {
  200: answer('A page of tasks', tasks, { tasks: example('One task', [TASK]) }, ['ETag', 'Link']),
  304: answer('Your copy of this page is current', undefined, undefined, ['ETag', 'Link']),
};

const query = (name: string, component: string, description: string, of: Schema) =>
  parameter(component, { name, in: 'query', description, schema: of });
const dayOrTime = { type: 'string', description: 'An RFC 3339 date-time or `YYYY-MM-DD`.' };
const limit = { type: 'integer', minimum: 1, maximum: MAX_LIMIT };
const notEmpty = { type: 'string', minLength: 1 };
const selectedText = { ...notEmpty, maxLength: MAX_TEXT_LENGTH };
const importance = { type: 'string', enum: members.importance.schema.enum };
const order = { type: 'string', enum: SORTS.map(({ name }) => name), default: 'date' };
const searched = { ...notEmpty, maxLength: MAX_SEARCH_LENGTH };

const filters = [
  query(
    'sort',
    'Sort',
    'The order; descending with a leading `-`. Ties are broken by `_id`; tasks without a position come last.',
    order,
  ),
  query('completed', 'Completed', 'Only tasks that are done, or only those that are not.', { type: 'boolean' }),
  query('importance', 'Importance', 'Only tasks of this importance.', importance),
  query('category', 'Category', 'Only tasks in this category.', members.categories.schema.items),
  query('dueAfter', 'DueAfter', 'Due then or later.', dayOrTime),
  query('dueBefore', 'DueBefore', 'Due before then.', dayOrTime),
  query('q', 'Contains', 'Only tasks whose text or notes contain this, ignoring case.', searched),
  query('cursor', 'Cursor', 'Where the page begins. Opaque: follow the `Link` of the previous page.', notEmpty),
];

const ifMatch = tagHeader(
  'If-Match',
  'IfMatch',
  'Only if the task still has this `ETag`; with `*`, only if it exists.',
);
const onlyNew = tagHeader('If-None-Match', 'OnlyNew', 'With `*`: only create, never replace.');

export const parameters = {
  list: [query('limit', 'Limit', 'How many at most.', { ...limit, default: DEFAULT_LIMIT }), ...filters, ifNoneMatch],
  firstClientsList: [
    query('limit', 'FirstClientsLimit', 'How many at most. 1,000 when absent: the first clients cannot page.', limit),
    ...filters,
    ifNoneMatch,
  ],
  changes: [
    query('since', 'Since', 'The `next` of the last answer. Omit it to get everything.', notEmpty),
    query('limit', 'ChangesLimit', 'How many changes at most.', { ...limit, default: MAX_LIMIT }),
  ],
  id: inPath('TaskId', 'id', 'A task’s id.', {
    schema: { type: 'string', pattern: '^[0-9a-fA-F]{24}$' },
    example: TASK._id,
  }),
  task: inPath('TaskName', 'task', 'The text of the task, percent-encoded; to delete, its id or its exact text.', {
    schema: selectedText,
    example: 'Buy milk',
  }),
  selection: [
    query('Text', 'Text', 'The text of the tasks to select, in place of a body.', selectedText),
    query('task', 'TaskText', 'The same as `Text`.', selectedText),
  ],
  all: query('all', 'All', 'With `true` and without a text: all your tasks.', { type: 'string', enum: ['true'] }),
  read: [ifMatch, ifNoneMatch],
  write: [ifMatch],
  replace: [ifMatch, onlyNew],
  idempotencyKey: parameter('IdempotencyKey', {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'New for each task, the same for each repeat: for 24 hours a repeat creates nothing.',
    schema: { type: 'string', pattern: IDEMPOTENCY_KEY.source },
  }),
};
