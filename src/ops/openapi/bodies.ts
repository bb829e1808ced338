import { content, example, json, schema } from './build.ts';
import { formExample, newTaskExamples } from './examples.ts';
import type { RequestBody } from './types.ts';

const FORM = 'application/x-www-form-urlencoded';

export const newTaskBody: RequestBody = {
  description: 'The task. At most 64 KiB, as all bodies.',
  required: true,
  content: { ...json(schema('NewTask'), newTaskExamples), ...content(FORM, schema('TaskForm'), formExample) },
};

const detailsExamples = { due: example('When it is due', { date: '2026-11-24' }) };

export const detailsBody: RequestBody = {
  description: 'What the URL does not say; may be left out. In a form `completed` is the text `true` or `false`.',
  required: false,
  content: {
    ...json(schema('TaskDetails'), detailsExamples),
    ...content(FORM, schema('TaskDetails'), detailsExamples),
  },
};

export const selectionBody: RequestBody = {
  description: 'The text of the tasks that are meant.',
  required: false,
  content: {
    ...json(schema('Selection'), { text: example('By text', { task: 'Buy milk' }) }),
    ...content(FORM, schema('Selection'), formExample),
  },
};

const patchExamples = {
  done: example('It is done', { completed: true }),
  reset: example('Due at its creation again', { date: null }),
};

export const patchBody: RequestBody = {
  description: 'What changes.',
  required: true,
  content: {
    ...content('application/merge-patch+json', schema('TaskPatch'), patchExamples),
    ...json(schema('TaskPatch'), patchExamples),
  },
};
