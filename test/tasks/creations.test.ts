import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import mongoose from 'mongoose';
import { type Client, expectProblem, type TaskJson } from '../support/client.ts';
import { movableClock } from '../support/clock.ts';
import { startServer } from '../support/server.ts';

const HOUR_MS = 3_600_000;
const ID = '6742d0c4e1a2b3c4d5e6f708';

interface Answer {
  status: number;
  etag: string | null;
  location: string | null;
  task: TaskJson;
}

async function post(client: Client | undefined, key: string, task: object = { Text: 'Buy milk' }): Promise<Answer> {
  const response = await client?.post('/api/tasks', task, { 'Idempotency-Key': key });
  assert.equal(response?.status, 201, await response?.clone().text());
  const { status, headers } = response;
  const body = (await response.json()) as TaskJson;
  return { status, etag: headers.get('etag'), location: headers.get('location'), task: body };
}

test('a repeated POST gets the first answer and creates nothing', async (t) => {
  const clock = movableClock();
  const { as } = await startServer(t, { clock });
  const alice = as('alice');
  const key = randomUUID();

  const first = await post(alice, key, { Text: 'Buy milk', completed: true });
  clock.advance(60_000);
  const again = await post(alice, key, { Text: 'Buy milk', completed: true });

  assert.deepEqual(again, first);
  assert.deepEqual(await alice.list(), [first.task]);
});

test('a repeated POST gets the first answer even after the task was changed or deleted', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const key = randomUUID();
  const first = await post(alice, key);

  await alice.patch(`/api/tasks/${first.task._id}`, { Text: 'Buy bread' });
  const afterChange = await post(alice, key);
  await alice.delete(`/api/tasks/${first.task._id}`);
  const afterDeletion = await post(alice, key);

  assert.deepEqual(afterChange, first);
  assert.deepEqual(afterDeletion, first);
  assert.deepEqual(await alice.list(), []);
});

test('twenty POSTs with one key, at once and at two instances, create one task', async (t) => {
  const server = await startServer(t);
  const other = await startServer(t, server);
  const clients = [server.as('alice'), other.as('alice')];
  const key = randomUUID();

  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => post(clients[i % 2], key)));

  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.deepEqual(await server.as('alice').list(), [answers[0]?.task]);
});

test('a POST that was cut short between its two writes is finished by the next', async (t) => {
  const { as, connection } = await startServer(t);
  const alice = as('alice');
  const key = randomUUID();
  const first = await post(alice, key);
  // What a crash leaves: the record of the key, and no task.
  await connection.collection('tasks').deleteOne({ _id: new mongoose.Types.ObjectId(first.task._id) });
  assert.deepEqual(await alice.list(), []);

  const again = await post(alice, key);

  assert.deepEqual(again, first);
  assert.deepEqual(await alice.list(), [first.task]);
});

test('a key is good for 24 hours', async (t) => {
  const clock = movableClock();
  const { as } = await startServer(t, { clock });
  const key = randomUUID();
  const first = await post(as('alice'), key);

  clock.advance(24 * HOUR_MS - 1);
  assert.deepEqual(await post(as('alice'), key), first);
  clock.advance(1);
  const alice = as('alice');
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(alice, key, { Text: 'Buy bread' })));

  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.notEqual(answers[0]?.task._id, first.task._id);
  assert.equal((await alice.list()).length, 2);
});

test('a key cannot be used for another request', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const headers = { 'Idempotency-Key': randomUUID() };
  await alice.post('/api/tasks', { Text: 'Buy milk' }, headers);

  const others = [
    await alice.post('/api/tasks', { Text: 'Buy bread' }, headers),
    await alice.post('/api/tasks', { Text: 'Buy milk', completed: true }, headers),
    await alice.post('/api/tasks', { Text: 'Buy milk', due: '2026-11-24' }, headers),
    await alice.post('/api/tasks/me/Buy%20milk', undefined, headers),
  ];

  for (const response of others) await expectProblem(response, 422, 'IdempotencyKeyReused');
  assert.equal((await alice.list()).length, 1);
});

test('a request is the same when it is read the same, however it is written', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const headers = { 'Idempotency-Key': randomUUID(), 'Content-Type': 'application/json' };
  const bodies = [
    '{"Text":"Buy milk","date":"2026-11-24T09:00:00Z"}',
    '{ "date": "2026-11-24T10:00:00+01:00",\n "x": 1, "completed": false, "Text": "Buy\\u0020milk" }',
    '{"task":"Buy milk","due":"2026-11-24T09:00:00.000Z","notes":null,"categories":[]}',
  ];

  const answers = [];
  for (const body of bodies) answers.push(await alice.post('/api/tasks', body, headers));

  for (const answer of answers) assert.equal(answer.status, 201);
  const tasks = await Promise.all(answers.map((answer) => answer.json()));
  assert.deepEqual(tasks[1], tasks[0]);
  assert.deepEqual(tasks[2], tasks[0]);
  assert.equal((await alice.list()).length, 1);
});

test('one body read as JSON and as a form is two requests', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const body = '{"Text":"as json","x":"&Text=as form&"}';
  const send = (type: string): Promise<Response> =>
    alice.post('/api/tasks', body, { 'Content-Type': type, 'Idempotency-Key': 'k' });

  assert.equal((await send('application/json')).status, 201);
  await expectProblem(await send('application/x-www-form-urlencoded'), 422, 'IdempotencyKeyReused');
});

test('a key belongs to its user, and every POST knows it', async (t) => {
  const { as } = await startServer(t);
  const headers = { 'Idempotency-Key': 'same' };

  for (const user of ['alice', 'bob']) {
    const first = await as(user).post('/api/tasks/me/Buy%20milk', undefined, headers);
    const again = await as(user).post('/api/tasks/me/Buy%20milk', undefined, headers);
    assert.deepEqual([first.status, again.status], [201, 201]);
    assert.deepEqual(await again.json(), await first.json());
    assert.equal((await as(user).list()).length, 1);
  }
  for (let i = 0; i < 2; i += 1) {
    const first = await as('carol').post('/tasks', { task: 'Buy milk' }, { 'Idempotency-Key': '!~' });
    assert.equal(first.status, 201);
  }
  assert.equal((await as('carol').list()).length, 1);
});

test('a malformed key is refused, and nothing is created', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');

  for (const key of ['', 'two words', 'é', 'a'.repeat(256)]) {
    const response = await alice.post('/api/tasks', { Text: 'Buy milk' }, { 'Idempotency-Key': key });
    await expectProblem(response, 400, 'BadRequest', /Idempotency-Key/);
  }
  assert.deepEqual(await alice.list(), []);
  await post(alice, 'a'.repeat(255));
});

test('a request that was refused does not use up its key', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const headers = { 'Idempotency-Key': randomUUID() };
  await expectProblem(await alice.post('/api/tasks', { Text: ' ' }, headers), 409, 'MissingTask');

  const response = await alice.post('/api/tasks', { Text: 'Buy milk' }, headers);

  assert.equal(response.status, 201);
});

test('no text is kept in the record of a key', async (t) => {
  const { as, connection } = await startServer(t);
  const key = randomUUID();

  await post(as('alice'), key, { Text: 'Buy milk' });

  const [record] = await connection.collection('creations').find({}).toArray();
  assert.deepEqual(Object.keys(record ?? {}).sort(), ['_id', 'at', 'fingerprint', 'owner', 'task', 'version']);
  assert.ok(!JSON.stringify(record).includes('milk') && !JSON.stringify(record).includes(key));
});

test('a user keeps 100,000 tasks at most, however they are created, and a key that was refused stays free', async (t) => {
  const { as, connection } = await startServer(t);
  const alice = as('alice');
  const tasks = connection.collection('tasks');
  for (let i = 0; i < 100_000; i += 5000) {
    await tasks.insertMany(Array.from({ length: i === 0 ? 4999 : 5000 }, () => ({ owner: 'alice', Text: 'Task' })));
  }
  const headers = { 'Idempotency-Key': 'key' };
  const last = await alice.post('/api/tasks', { Text: 'the last one' }, headers);
  assert.equal(last.status, 201);

  const tooMany = [
    await alice.post('/api/tasks', { Text: 'one more' }),
    await alice.post('/api/tasks', { Text: 'one more' }, { 'Idempotency-Key': 'another' }),
    await alice.post('/api/tasks/me/one%20more'),
    await alice.put(`/api/tasks/${ID}`, { Text: 'one more' }),
  ];
  for (const response of tooMany) await expectProblem(response, 409, 'TooManyTasks', /delete some/);
  const repeated = await alice.post('/api/tasks', { Text: 'the last one' }, headers);
  assert.deepEqual(await repeated.clone().json(), await last.json());
  assert.equal((await as('bob').post('/api/tasks', { Text: 'of Bob' })).status, 201);

  const { _id } = (await repeated.json()) as TaskJson;
  assert.equal((await alice.delete(`/api/tasks/${_id}`)).status, 204);
  const again = await alice.post('/api/tasks', { Text: 'one more' }, { 'Idempotency-Key': 'another' });

  assert.equal(again.status, 201);
});
