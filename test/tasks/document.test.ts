import assert from 'node:assert/strict';
import test from 'node:test';
import mongoose from 'mongoose';
import { draftOf, newBirth, newTask, patchedTask, tagOf, taskJson, type TaskState } from '../../src/tasks/document.ts';
import { readPatch, readTask } from '../../src/tasks/input.ts';
import { ABSENT } from '../support/client.ts';

const at = new Date('2026-11-23T09:00:00Z');
const later = new Date('2026-11-24T09:00:00Z');
const born = newBirth(at, new mongoose.Types.ObjectId('6742d0c4e1a2b3c4d5e6f708'));
const json = (body: object) => ({ body: body as Record<string, unknown>, bodyKind: 'json' }) as const;
const draft = (body: object = {}) => draftOf(readTask(json({ Text: 'Buy milk', date: later.toISOString(), ...body })));
const patched = (task: TaskState, body: object, now: Date) => patchedTask(task, readPatch(json(body)), now);

test('a task is shown with exactly the members that clients know', () => {
  assert.equal(
    taskJson({ ...newTask(born, draft()), seq: 3 }),
    '{"_id":"6742d0c4e1a2b3c4d5e6f708","Text":"Buy milk","task":"Buy milk","completed":false,' +
      '"date":"2026-11-24T09:00:00.000Z","due":"2026-11-24T09:00:00.000Z","completedAt":null,' +
      '"notes":null,"importance":"normal","categories":[],"checklist":[],"remindAt":null,"position":null,' +
      '"createdAt":"2026-11-23T09:00:00.000Z","updatedAt":"2026-11-23T09:00:00.000Z"}',
  );
});

test("the tutorial's documents are shown like any other", () => {
  const born = new Date(0x6742d0c4 * 1000).toISOString();
  const shown = {
    _id: '6742d0c4e1a2b3c4d5e6f708',
    completed: false,
    completedAt: null,
    ...ABSENT,
    createdAt: born,
    updatedAt: born,
  };
  const _id = new mongoose.Types.ObjectId('6742d0c4e1a2b3c4d5e6f708');

  const show = (document: TaskState): unknown => JSON.parse(taskJson(document));

  assert.deepEqual(show({ _id, task: 'Call' }), { ...shown, Text: 'Call', task: 'Call', date: born, due: born });
  assert.deepEqual(show({ _id, Text: 'Call', date: at }), {
    ...shown,
    Text: 'Call',
    task: 'Call',
    date: at.toISOString(),
    due: at.toISOString(),
  });
  assert.equal(tagOf({ _id, task: 'Call' }), '6742d0c4e1a2b3c4d5e6f708');
});

test('the time of completion is set once, kept, and lost', () => {
  const open = newTask(born, draft());
  const done = patched(open, { completed: true }, later);
  const repeated = patched(done, { completed: true, Text: 'Buy bread' }, new Date());
  const reopened = patched(repeated, { completed: false }, new Date());

  assert.equal(open.completedAt, null);
  assert.equal(done.completedAt, later);
  assert.equal(repeated.completedAt, later);
  assert.equal(reopened.completedAt, null);
  assert.equal(newTask(born, draft({ completed: true })).completedAt, at);
});

test('every state has a tag of its own', () => {
  const states = [newTask(born, draft())];
  for (let i = 0; i < 5; i += 1) states.push(patched(states[i] ?? newTask(born, draft()), {}, at));

  assert.equal(new Set(states.map(tagOf)).size, states.length);
});

test('a change gives a legacy task its text under the new name and whatever it lacked', () => {
  const _id = new mongoose.Types.ObjectId('6742d0c4e1a2b3c4d5e6f708');

  const { version, ...task } = patched({ _id, task: 'Call', seq: 4 }, { completed: true }, later);

  assert.ok(version);
  const createdAt = _id.getTimestamp();
  const dates = { date: createdAt, createdAt, completedAt: later, updatedAt: later };
  assert.deepEqual(task, { _id, Text: 'Call', completed: true, ...dates });
});

function due(task: TaskState): unknown[] {
  const shown = JSON.parse(taskJson(task)) as Record<string, unknown>;
  return [shown['due'], shown['date']];
}

const DAY = '2026-12-24';
const MIDNIGHT = '2026-12-24T00:00:00.000Z';

test('a task remembers what was said of its date: nothing, a day, or a time', () => {
  assert.deepEqual(due(newTask(born, draft({ date: undefined }))), [null, at.toISOString()]);
  assert.deepEqual(due(newTask(born, draft({ date: DAY }))), [DAY, MIDNIGHT]);
  assert.deepEqual(due(newTask(born, draft({ date: undefined, due: DAY }))), [DAY, MIDNIGHT]);
  assert.deepEqual(due(newTask(born, draft({ date: MIDNIGHT }))), [MIDNIGHT, MIDNIGHT]);
  assert.deepEqual(due(newTask(born, draft({ date: MIDNIGHT, due: DAY }))), [DAY, MIDNIGHT]);
  assert.deepEqual(due(newTask(born, draft({ date: DAY, due: null }))), [DAY, MIDNIGHT]);
  assert.deepEqual(due(newTask(born, draft({ date: null, due: DAY }))), [DAY, MIDNIGHT]);
});

test('a client that sends back what it got, with one name of two changed, means the changed one', () => {
  const day = newTask(born, draft({ date: DAY }));
  const sentBack = { Text: 'Buy milk', task: 'Buy milk', date: MIDNIGHT, due: DAY };
  const other = '2026-12-31T08:00:00.000Z';

  assert.deepEqual(due(patched(day, sentBack, later)), [DAY, MIDNIGHT]);
  assert.deepEqual(due(patched(day, { ...sentBack, date: other }, later)), [other, other]);
  assert.deepEqual(due(patched(day, { ...sentBack, due: other }, later)), [other, other]);
  assert.deepEqual(due(patched(day, { ...sentBack, due: null }, later)), [null, at.toISOString()]);
  assert.deepEqual(due(patched(day, { date: MIDNIGHT }, later)), [DAY, MIDNIGHT]);
  assert.deepEqual(due(patched(day, { due: MIDNIGHT }, later)), [MIDNIGHT, MIDNIGHT]);
  assert.throws(() => patched(day, { date: other, due: '2027-01-01' }, later), /"due" and "date" differ/);
  assert.throws(() => patched(day, { date: other, due: null }, later), /"due" and "date" differ/);
  assert.equal(patched(day, { ...sentBack, task: 'Buy bread' }, later).Text, 'Buy bread');
  assert.equal(patched(day, { ...sentBack, Text: 'Buy bread' }, later).Text, 'Buy bread');
  assert.throws(() => patched(day, { Text: 'Buy bread', task: 'Buy eggs' }, later), /"Text" and "task" differ/);
});
