import assert from 'node:assert/strict';
import test from 'node:test';
import mongoose from 'mongoose';
import { changedTask, newTask, randomId, tagOf } from '../../src/tasks/document.ts';
import { toTask } from '../../src/tasks/view.ts';

const at = new Date('2026-11-23T09:00:00Z');
const later = new Date('2026-11-24T09:00:00Z');
const born = { id: new mongoose.Types.ObjectId('6742d0c4e1a2b3c4d5e6f708'), version: randomId(), at };
const fields = { text: 'Buy milk', completed: false, date: later };

test('a task is shown with exactly the members that clients know', () => {
  assert.equal(
    JSON.stringify(toTask({ ...newTask(born, fields), seq: 3 })),
    '{"_id":"6742d0c4e1a2b3c4d5e6f708","Text":"Buy milk","task":"Buy milk","completed":false,' +
      '"date":"2026-11-24T09:00:00.000Z","completedAt":null,' +
      '"createdAt":"2026-11-23T09:00:00.000Z","updatedAt":"2026-11-23T09:00:00.000Z"}',
  );
});

test("the tutorial's documents are shown like any other", () => {
  const born = new Date(0x6742d0c4 * 1000).toISOString();
  const shown = {
    _id: '6742d0c4e1a2b3c4d5e6f708',
    completed: false,
    completedAt: null,
    createdAt: born,
    updatedAt: born,
  };
  const _id = new mongoose.Types.ObjectId('6742d0c4e1a2b3c4d5e6f708');

  assert.deepEqual(toTask({ _id, task: 'Call' }), { ...shown, Text: 'Call', task: 'Call', date: born });
  assert.deepEqual(toTask({ _id, Text: 'Call', date: at }), {
    ...shown,
    Text: 'Call',
    task: 'Call',
    date: at.toISOString(),
  });
  assert.equal(tagOf({ _id, task: 'Call' }), '6742d0c4e1a2b3c4d5e6f708');
});

test('the time of completion is set once, kept, and lost', () => {
  const open = newTask(born, fields);
  const done = changedTask(open, { completed: true }, later);
  const repeated = changedTask(done, { completed: true, text: 'Buy bread' }, new Date());
  const reopened = changedTask(repeated, { completed: false }, new Date());

  assert.equal(open.completedAt, null);
  assert.equal(done.completedAt, later);
  assert.equal(repeated.completedAt, later);
  assert.equal(reopened.completedAt, null);
  assert.equal(newTask(born, { ...fields, completed: true }).completedAt, at);
});

test('every state has a tag of its own', () => {
  const states = [newTask(born, fields)];
  for (let i = 0; i < 5; i += 1) states.push(changedTask(states[i] ?? newTask(born, fields), {}, at));

  assert.equal(new Set(states.map(tagOf)).size, states.length);
});

test('a change gives a legacy task its text under the new name and whatever it lacked', () => {
  const _id = new mongoose.Types.ObjectId('6742d0c4e1a2b3c4d5e6f708');

  const { version, ...task } = changedTask({ _id, task: 'Call', seq: 4 }, { completed: true }, later);

  assert.ok(version);
  const createdAt = _id.getTimestamp();
  const dates = { date: createdAt, createdAt, completedAt: later, updatedAt: later };
  assert.deepEqual(task, { _id, Text: 'Call', completed: true, ...dates });
});
