import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectProblem, type TaskJson } from '../support/client.ts';
import { startServer } from '../support/server.ts';

const ID = '6742d0c4e1a2b3c4d5e6f708';

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
