import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import { userModel } from '../../src/people/model.ts';
import { type Client, expectProblem, type TaskJson } from '../support/client.ts';
import { testDatabase } from '../support/database.ts';
import { startServer } from '../support/server.ts';
import { proxyStore } from '../support/tcpProxy.ts';
import { until } from '../support/until.ts';
import { refusedWithin } from './support.ts';

const PROMISED_MS = 3000;

/** A client that does what 503 asks for: sends the same request again, with the same key. */
async function createUntilDone(client: Client, text: string): Promise<TaskJson> {
  const headers = { 'Idempotency-Key': randomUUID() };
  for (;;) {
    const response = await client.post('/api/tasks', { Text: text }, headers);
    if (response.status === 201) return (await response.json()) as TaskJson;
    await expectProblem(response, 503, 'StoreUnavailable');
  }
}

describe('requests while the store fails', { concurrency: true }, () => {
  test('every route of a signed-in user is 503 within 3 s when the store hangs, and served when it is back', async (t) => {
    const proxy = await proxyStore(t, (await testDatabase(t, { isPatient: false })).uri);
    const { as } = await startServer(t, { uri: proxy.uri, storeMs: 2_500 });
    const alice = as('alice');
    const { _id } = await alice.create({ Text: 'Buy milk' });
    const requests: [string, string, object?][] = [
      ['GET', '/api/tasks'],
      ['GET', `/api/tasks/${_id}`],
      ['GET', '/api/tasks/changes'],
      ['POST', '/api/tasks', { Text: 'Buy bread' }],
      ['PUT', `/api/tasks/${_id}`, { Text: 'Buy bread' }],
      ['PATCH', `/api/tasks/${_id}`, { completed: true }],
      ['DELETE', `/api/tasks/${_id}`],
      ['DELETE', '/api/tasks?all=true'],
    ];

    proxy.stall();
    const answers = requests.map(async ([method, path, body]) => {
      const response = await alice.request(method, path, body === undefined ? {} : { body });
      await expectProblem(response, 503, 'StoreUnavailable');
      assert.equal(response.headers.get('Retry-After'), '2');
    });
    for (const outcome of await Promise.all(answers.map((answer) => refusedWithin(PROMISED_MS, answer)))) {
      assert.equal((outcome as Error).message, 'it succeeded');
    }
    await proxy.resume();

    // What was held back never reached the store: those connections are gone.
    assert.deepEqual(
      (await alice.list()).map(({ Text }) => Text),
      ['Buy milk'],
    );
  });

  test('whoever calls while their erasure is being finished gets 503 within 3 s when the store hangs in the middle of it', async (t) => {
    const proxy = await proxyStore(t, (await testDatabase(t, { isPatient: false })).uri);
    const { as, connection } = await startServer(t, { uri: proxy.uri, storeMs: 2_500 });
    const users = userModel(connection);
    const erasing = new mongoose.Types.ObjectId();
    await users.create({ oid: 'alice', firstSeen: new Date(), erasing });
    const before = proxy.bytesForth;

    const answer = as('alice').get('/api/tasks');
    await until(() => proxy.bytesForth > before);
    // By now the erasure has been found, and waits a while before it erases anything.
    await sleep(500);
    proxy.stall();
    const outcome = await refusedWithin(PROMISED_MS - 500, answer);
    await proxy.resume();

    assert.equal((outcome as Error).message, 'it succeeded');
    await expectProblem(await answer, 503, 'StoreUnavailable');
    await until(async () => (await as('alice').get('/api/tasks')).status === 200);
  });

  test('a request repeated with its key until it is answered makes one task, however often connections are cut', async (t) => {
    const proxy = await proxyStore(t, (await testDatabase(t, { isPatient: false })).uri);
    const { as } = await startServer(t, { uri: proxy.uri, storeMs: 2_500 });
    const alice = as('alice');
    const texts = Array.from({ length: 18 }, (_, number) => `task ${String(number).padStart(2, '0')}`);

    const created: TaskJson[] = [];
    for (const [number, text] of texts.entries()) {
      const sent = proxy.bytesForth;
      if (number % 3 === 0) proxy.stallAnswers();
      const creating = createUntilDone(alice, text);
      // The store has the command, and nobody will ever hear its answer.
      await until(() => proxy.bytesForth > sent);
      if (number % 3 === 0) proxy.cut();
      await proxy.resume();
      const task = await creating;
      created.push(task);
    }

    const listed = await alice.list();
    assert.deepEqual(listed.map(({ Text }) => Text).sort(), texts);
    assert.deepEqual(listed.map(({ _id }) => _id).sort(), created.map(({ _id }) => _id).sort());
  });
});
