/** The members of a task beside its text, on every way in and out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ABSENT, expectProblem, type TaskJson } from '../support/client.ts';
import { startServer } from '../support/server.ts';

const ID = '6742d0c4e1a2b3c4d5e6f708';
const given = {
  notes: 'Oat, not cow.\nTwo litres.',
  importance: 'high',
  categories: ['Home', 'Garden', 'Home'],
  checklist: [{ text: 'Find the shop', completed: true, color: 'red' }, { text: 'Pay' }],
  remindAt: '2026-11-24T17:30:00+01:00',
  position: 'a0~',
};
const shown = {
  ...given,
  categories: ['Home', 'Garden'],
  checklist: [
    { text: 'Find the shop', completed: true },
    { text: 'Pay', completed: false },
  ],
  remindAt: '2026-11-24T16:30:00.000Z',
};

async function json<T = TaskJson>(response: Response): Promise<T> {
  assert.ok(response.ok, await response.clone().text());
  return (await response.json()) as T;
}

const membersOf = (task: TaskJson): object =>
  Object.fromEntries(Object.keys(ABSENT).map((name) => [name, task[name as keyof TaskJson]]));

test('what was sent is shown by every way of reading', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const created = await alice.create({ Text: 'Buy milk', ...given });
  const put = await json(await alice.put(`/api/tasks/${ID}`, { Text: 'Buy milk', ...given }));

  assert.deepEqual(membersOf(created), shown);
  assert.deepEqual(membersOf(put), shown);
  assert.deepEqual(await json(await alice.get(`/api/tasks/${created._id}`)), created);
  assert.deepEqual((await alice.list()).map(membersOf), [shown, shown]);
  const { changed } = await json<{ changed: TaskJson[] }>(await alice.get('/api/tasks/changes'));
  assert.deepEqual(changed.map(membersOf), [shown, shown]);
  assert.deepEqual(await json<TaskJson[]>(await alice.get('/tasks')), await alice.list());
});

test('a patch changes what it names, replaces lists whole, and null resets', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const { _id } = await alice.create({ Text: 'Buy milk', ...given });
  const path = `/api/tasks/${_id}`;

  const listed = await json(await alice.patch(path, { categories: ['Work'], checklist: [] }));
  const reset = await json(await alice.patch(path, Object.fromEntries(Object.keys(given).map((name) => [name, null]))));
  const emptied = await json(await alice.patch(path, { notes: '', position: '' }));

  assert.deepEqual(membersOf(listed), { ...shown, categories: ['Work'], checklist: [] });
  assert.deepEqual(membersOf(reset), ABSENT);
  assert.deepEqual(membersOf(emptied), ABSENT);
});

test('a replacement resets what it does not name, and a change by text changes what it names', async (t) => {
  const alice = (await startServer(t)).as('alice');
  await alice.put(`/api/tasks/${ID}`, { Text: 'Buy milk', ...given });

  const [updated] = await json<TaskJson[]>(await alice.put('/api/tasks/me', { Text: 'Buy milk', importance: 'low' }));
  const replaced = await json(await alice.put(`/api/tasks/${ID}`, { Text: 'Buy milk' }));

  assert.deepEqual(membersOf(updated ?? assert.fail()), { ...shown, importance: 'low' });
  assert.deepEqual(membersOf(replaced), ABSENT);
});

test('null means absent where a task is created, and a form knows what is text', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const nothing = Object.fromEntries(['completed', 'due', 'date', ...Object.keys(given)].map((name) => [name, null]));
  const form = 'Text=a&notes=b&importance=low&remindAt=2026-11-24T16:30:00Z&position=c&due=2026-11-24&categories=d';

  const plain = await alice.create({ Text: 'Buy milk', ...nothing });
  const formed = await json(
    await alice.post('/api/tasks', form, { 'Content-Type': 'application/x-www-form-urlencoded' }),
  );

  assert.deepEqual([plain.completed, plain.due, membersOf(plain)], [false, null, ABSENT]);
  assert.equal(formed.due, '2026-11-24');
  assert.deepEqual(membersOf(formed), {
    ...shown,
    notes: 'b',
    importance: 'low',
    position: 'c',
    categories: [],
    checklist: [],
  });
});

test('a wrong member is refused with its path, and nothing is stored', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const checklist = [{ text: 'a' }, { text: 'b' }, { text: 'c' }, { text: '' }];

  const refused = await alice.post('/api/tasks', { Text: 'Buy milk', checklist });

  await expectProblem(refused, 400, 'InvalidTask', /"checklist\[3\]\.text"/);
  await expectProblem(await alice.put(`/api/tasks/${ID}`, { Text: 'a', importance: 1 }), 400, 'InvalidTask');
  assert.deepEqual(await alice.list(), []);
});

test('what is absent is not stored, so a plain task is as small as before', async (t) => {
  const { as, connection } = await startServer(t);
  await as('alice').create({ Text: 'Buy milk', notes: null, categories: [] });

  const stored = await connection.collection('tasks').findOne({ owner: 'alice' });

  assert.deepEqual(Object.keys(stored ?? {}).sort(), [
    ...['Text', '_id', 'completed', 'completedAt', 'createdAt', 'date', 'due', 'owner', 'updatedAt', 'version'],
  ]);
});
