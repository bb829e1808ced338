import assert from 'node:assert/strict';
import { test } from 'node:test';
import mongoose from 'mongoose';
import { ABSENT, type TaskJson } from '../support/client.ts';
import { movableClock } from '../support/clock.ts';
import { startServer, type TestServer } from '../support/server.ts';

const CREATED = '2016-08-30T10:00:00.000Z';
const FIRST = new mongoose.Types.ObjectId(`${(Date.parse(CREATED) / 1000).toString(16)}b2c3d4e5f6a7b8c9`);
const SECOND = new mongoose.Types.ObjectId(`${(Date.parse(CREATED) / 1000).toString(16)}b2c3d4e5f6a7b8ca`);
const NOW = Date.parse('2026-11-24T09:00:00Z');

/** What the tutorial's two editions stored. */
async function withTutorialsTasks(server: TestServer): Promise<void> {
  await server.connection.collection('tasks').insertMany([
    { _id: FIRST, owner: 'alice', task: 'Buy milk', date: new Date('2016-09-01'), __v: 0 },
    { _id: SECOND, owner: 'alice', Text: 'Buy bread', completed: true, date: new Date('2016-09-02'), __v: 0 },
  ]);
}

const shown = [
  {
    _id: FIRST.toHexString(),
    Text: 'Buy milk',
    task: 'Buy milk',
    completed: false,
    date: '2016-09-01T00:00:00.000Z',
    due: '2016-09-01T00:00:00.000Z',
    completedAt: null,
    ...ABSENT,
    createdAt: CREATED,
    updatedAt: CREATED,
  },
  {
    _id: SECOND.toHexString(),
    Text: 'Buy bread',
    task: 'Buy bread',
    completed: true,
    date: '2016-09-02T00:00:00.000Z',
    due: '2016-09-02T00:00:00.000Z',
    completedAt: null,
    ...ABSENT,
    createdAt: CREATED,
    updatedAt: CREATED,
  },
];

test("the tutorial's tasks are listed and read like any other", async (t) => {
  const server = await startServer(t);
  await withTutorialsTasks(server);
  const alice = server.as('alice');

  assert.deepEqual(await alice.list(), shown);
  for (const sort of ['-date', 'createdAt', '-createdAt', 'updatedAt', '-updatedAt']) {
    assert.equal((await alice.list(`?sort=${sort}`)).length, 2);
  }
  assert.deepEqual(await alice.list('?completed=false'), [shown[0]]);
  assert.deepEqual(await alice.list('?q=MILK'), [shown[0]]);
  const response = await alice.get(`/api/tasks/${FIRST.toHexString()}`);
  assert.equal(response.headers.get('etag'), `"${FIRST.toHexString()}"`);
  assert.deepEqual(await response.json(), shown[0]);
});

test("the tutorial's tasks are changed, with conditions", async (t) => {
  const server = await startServer(t, { clock: movableClock(NOW) });
  await withTutorialsTasks(server);
  const alice = server.as('alice');
  const path = `/api/tasks/${FIRST.toHexString()}`;
  const now = new Date(NOW).toISOString();
  const ifMatch = { 'If-Match': `"${FIRST.toHexString()}"` };

  const patched = await alice.patch(path, { completed: true }, ifMatch);
  const refused = await alice.patch(path, { completed: false }, ifMatch);
  const put = await alice.put(`/api/tasks/${SECOND.toHexString()}`, { Text: 'Buy bread', completed: true });
  const updated = await alice.put('/api/tasks/me', { Text: 'Buy bread', completed: false });

  assert.deepEqual(await patched.json(), { ...shown[0], completed: true, completedAt: now, updatedAt: now });
  assert.equal(refused.status, 412);
  assert.equal(refused.headers.get('etag'), patched.headers.get('etag'));
  assert.deepEqual(await put.json(), { ...shown[1], date: CREATED, due: null, updatedAt: now });
  assert.deepEqual(await updated.json(), [{ ...shown[1], date: CREATED, due: null, completed: false, updatedAt: now }]);
  const stored = await server.connection.collection('tasks').findOne({ _id: FIRST });
  assert.equal(stored?.['Text'], 'Buy milk');
  assert.equal(stored['task'], undefined);
});

test("the tutorial's tasks are deleted, by id and by either name of their text", async (t) => {
  const server = await startServer(t);
  const alice = server.as('alice');
  const ways = [
    () => alice.delete(`/api/tasks/${FIRST.toHexString()}`).then(() => alice.delete('/api/tasks/me/Buy%20bread')),
    () =>
      alice.delete('/tasks', { task: 'Buy milk' }).then(() => alice.delete(`/api/tasks/me/${SECOND.toHexString()}`)),
    () => alice.delete('/api/tasks?all=true'),
  ];
  for (const remove of ways) {
    await server.connection.collection('tasks').deleteMany({ owner: 'alice' });
    await withTutorialsTasks(server);

    assert.equal((await remove()).status, 204);

    assert.deepEqual(await alice.list(), []);
  }
});

test("the tutorial's tasks are synced", async (t) => {
  const server = await startServer(t);
  await withTutorialsTasks(server);
  const alice = server.as('alice');

  const first = (await (await alice.get('/api/tasks/changes')).json()) as { changed: TaskJson[]; next: string };
  await alice.delete(`/api/tasks/${FIRST.toHexString()}`);
  const second = (await (await alice.get(`/api/tasks/changes?since=${first.next}`)).json()) as object;

  assert.deepEqual(first.changed, shown);
  assert.deepEqual({ ...second, next: '' }, { changed: [], removed: [FIRST.toHexString()], next: '', more: false });
});

test('a task of the tutorial without a date is due when it was made', async (t) => {
  const server = await startServer(t);
  await server.connection.collection('tasks').insertOne({ _id: FIRST, owner: 'alice', Text: 'Buy milk' });
  const alice = server.as('alice');
  const found = async (query: string): Promise<number> => (await alice.list(query)).length;
  const justAfter = CREATED.replace('.000Z', '.001Z');

  assert.equal((await alice.list())[0]?.date, CREATED);
  assert.equal(await found(`?dueAfter=${CREATED}`), 1);
  assert.equal(await found(`?dueAfter=${justAfter}`), 0);
  assert.equal(await found(`?dueBefore=${CREATED}`), 0);
  assert.equal(await found(`?dueBefore=${justAfter}`), 1);
  assert.equal(await found('?dueAfter=0001-01-01&dueBefore=9999-12-31'), 1);
});

test('a task whose date an import made a text is named in the log, and not changed', async (t) => {
  const server = await startServer(t);
  const tasks = server.connection.collection('tasks');
  await tasks.insertMany([
    { _id: FIRST, owner: 'alice', Text: 'Buy milk', date: '2016-09-01' },
    { _id: SECOND, owner: 'alice', Text: 'Buy bread', date: new Date('2016-09-02') },
  ]);
  const alice = server.as('alice');
  const path = `/api/tasks/${FIRST.toHexString()}`;

  const answers = [
    await alice.get('/api/tasks'),
    await alice.get('/api/tasks/changes'),
    await alice.get(path),
    await alice.patch(path, { completed: true }),
  ];

  assert.deepEqual(
    answers.map(({ status }) => status),
    [500, 500, 500, 500],
  );
  const failures = server.logs.filter(({ msg }) => msg === 'failed').map(({ err }) => (err as Error).message);
  assert.equal(failures.length, answers.length);
  for (const failure of failures) assert.match(failure, new RegExp(`${FIRST.toHexString()}.*date is not a date`));
  assert.equal((await tasks.findOne({ _id: FIRST }))?.['completed'], undefined);
  assert.equal((await alice.put(path, { Text: 'Buy milk' })).status, 200);
  assert.equal((await alice.list()).length, 2);
});

test('a document whose id an import made a text is named in the log', async (t) => {
  const server = await startServer(t);
  const imported = { _id: FIRST.toHexString(), owner: 'alice', Text: 'Buy milk' };
  await server.connection.collection('tasks').insertOne(imported as object);

  assert.equal((await server.as('alice').get('/api/tasks')).status, 500);

  const failure = server.logs.find(({ msg }) => msg === 'failed')?.['err'] as Error;
  assert.match(failure.message, new RegExp(`"${FIRST.toHexString()}", _id is not an ObjectId`));
});

test('a text that an import made a number is a text again', async (t) => {
  const server = await startServer(t);
  await server.connection.collection('tasks').insertOne({ _id: FIRST, owner: 'alice', Text: 1984 });
  const alice = server.as('alice');

  for (const query of ['', '?q=98']) assert.equal((await alice.list(query))[0]?.Text, '1984');
});
