/** One task's life, for the examples. */
import { example } from './build.ts';

export const TASK = {
  _id: '6742d0c4e1a2b3c4d5e6f708',
  Text: 'Buy milk',
  task: 'Buy milk',
  completed: false,
  date: '2026-11-24T09:00:00.000Z',
  completedAt: null,
  createdAt: '2026-11-23T09:00:00.000Z',
  updatedAt: '2026-11-23T09:00:00.000Z',
};
const DONE = {
  ...TASK,
  completed: true,
  completedAt: '2026-11-24T10:30:00.000Z',
  updatedAt: '2026-11-24T10:30:00.000Z',
};

export const taskExample = { task: example('A task', TASK) };
export const doneExample = { task: example('The task, done', DONE) };
export const listExample = { tasks: example('One task', [TASK]) };
export const doneListExample = { tasks: example('The tasks, done', [DONE]) };
export const newTaskExamples = {
  text: example('Only a text', { Text: 'Buy milk' }),
  whole: example('All members', { Text: 'Buy milk', completed: false, date: '2026-11-24' }),
};
export const formExample = { form: example('Sent as Text=Buy+milk', { Text: 'Buy milk' }) };
