/** One's own account, as an app offers it: shown, exported, erased. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import { erasePerson, finishErasures } from '../../src/people/erasure.ts';
import { type Client, expectProblem } from '../support/client.ts';
import { testDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { proxyStore } from '../support/tcpProxy.ts';
import { until } from '../support/until.ts';

const COLLECTIONS = ['creations', 'tasks', 'syncs', 'users'] as const;

/** Documents of a person, by collection. */
async function stored({ connection }: TestServer, oid: string): Promise<number[]> {
  return await Promise.all(
    COLLECTIONS.map((name) =>
      connection.collection(name).countDocuments({ [name === 'users' ? 'oid' : 'owner']: oid }),
    ),
  );
}

/** Alice has one of everything that is stored about a person. */
async function fill(client: Client): Promise<string> {
  await client.create({ Text: 'kept' });
  const { _id } = await client.create({ Text: 'deleted' });
  await client.delete(`/api/tasks/${_id}`);
  await client.post('/api/tasks', { Text: 'made once' }, { 'Idempotency-Key': randomUUID() });
  return await sync(client);
}

async function sync(client: Client): Promise<string> {
  return ((await (await client.get('/api/tasks/changes')).json()) as { next: string }).next;
}

async function twoInstances(t: TestContext, env: Record<string, string> = {}): Promise<[TestServer, TestServer]> {
  const first = await startServer(t, { env });
  return [first, await startServer(t, { env, tenant: first.tenant, uri: first.uri })];
}

test('the export of one’s own account goes on while the client reads, however long it takes, and is cut off when it stops', async (t) => {
  const server = await startServer(t, { limits: { answerMs: 2_000, checkMs: 20, inFlightPerUser: 1 } });
  const alice = server.as('alice');
  // More than the kernel buffers for a client that does not read.
  const notes = 'n'.repeat(16_384);
  const tasks = Array.from({ length: 1_000 }, () => ({ owner: 'alice', Text: 'Task', notes }));
  await server.connection.collection('tasks').insertMany(tasks);
  const warnings: Error[] = [];
  const warn = (warning: Error): unknown => warnings.push(warning);
  process.on('warning', warn);
  t.after(() => process.off('warning', warn));

  const slow = await alice.get('/api/me/export');
  let text = '';
  let pauses = 0;
  for await (const chunk of slow.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.length < pauses * 1_000_000) continue;
    pauses += 1;
    await sleep(200); // in all longer than an answer may take
  }
  const stopped = await alice.get('/api/me/export');
  await until(async () => (await alice.get('/api/me')).status === 200);

  assert.equal((JSON.parse(text) as { tasks: object[] }).tasks.length, 1_000);
  await assert.rejects(stopped.text());
  assert.deepEqual(warnings, []);
});

describe('one’s own account', () => {
  test('shows who one is, and nothing else', async (t) => {
    const { as } = await startServer(t);

    const response = await as('alice', { name: 'Alice' }).get('/api/me');

    assert.equal(response.status, 200);
    const { firstSeen, lastSeen, ...rest } = (await response.json()) as Record<string, string>;
    assert.deepEqual(rest, { oid: 'alice', name: 'Alice' });
    assert.match(firstSeen ?? '', /Z$/);
    assert.match(lastSeen ?? '', /Z$/);
    await expectProblem(await as('alice').post('/api/me', {}), 405, 'MethodNotAllowed');
  });

  test('is exported whole, as an attachment', async (t) => {
    const server = await startServer(t);
    await fill(server.as('alice'));
    await server.as('bob').create({ Text: 'of Bob' });
    await server.connection
      .collection('tasks')
      .insertMany(Array.from({ length: 120 }, (_, i) => ({ owner: 'alice', Text: `Task ${i}` })));

    const response = await server.as('alice').get('/api/me/export');

    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-disposition') ?? '', /^attachment/);
    assert.equal(response.headers.get('content-type'), 'application/json');
    const text = await response.text();
    const all = JSON.parse(text) as Record<(typeof COLLECTIONS)[number], object[]>;
    assert.deepEqual(
      COLLECTIONS.map((name) => all[name].length),
      [1, 123, 1, 1],
    );
    assert.doesNotMatch(text, /of Bob/);
    const head = await server.as('alice').request('HEAD', '/api/me/export');
    assert.deepEqual([head.status, await head.text()], [200, '']);
  });

  test('is erased at once and for good, and begins anew with the next call', async (t) => {
    const server = await startServer(t);
    const alice = server.as('alice');
    const token = await fill(alice);
    await server.as('bob').create({ Text: 'of Bob' });

    const response = await alice.delete('/api/me');

    assert.equal(response.status, 204);
    assert.deepEqual(await stored(server, 'alice'), [0, 0, 0, 0]);
    assert.equal((await server.as('bob').list()).length, 1);
    assert.deepEqual(await alice.list(), []);
    await expectProblem(await alice.get(`/api/tasks/changes?since=${token}`), 410, 'SyncTokenExpired');
    await alice.create({ Text: 'a new life' });
    assert.equal((await alice.list()).length, 1);
    assert.deepEqual((await stored(server, 'alice'))[3], 1);
  });

  test('needs the write scope to be erased', async (t) => {
    const { as } = await startServer(t, { env: { B2C_READ_SCOPE: 'read', B2C_WRITE_SCOPE: 'write' } });

    await expectProblem(await as('alice', { scp: 'read' }).delete('/api/me'), 403, 'InsufficientScope');
    assert.equal((await as('alice', { scp: 'read write' }).delete('/api/me')).status, 204);
  });

  test('another instance that remembers the user creates nothing that has no user', async (t) => {
    const [first, second] = await twoInstances(t);
    await fill(second.as('alice'));

    await first.as('alice').delete('/api/me');
    const response = await second.as('alice').post('/api/tasks', { Text: 'a new life' });

    assert.equal(response.status, 201);
    assert.deepEqual(await stored(first, 'alice'), [0, 1, 0, 1]);
    assert.equal((await first.as('alice').list()).length, 1);
  });

  test('another instance, which may register nobody, refuses and leaves nothing behind', async (t) => {
    const [first, second] = await twoInstances(t, { AUTO_REGISTER: 'false' });
    await first.connection.collection('users').insertOne({ oid: 'alice', firstSeen: new Date() });
    await fill(second.as('alice'));

    await first.as('alice').delete('/api/me');
    const refused = [
      await second.as('alice').post('/api/tasks', { Text: 'too late' }),
      await second.as('alice').get('/api/tasks'),
    ];

    for (const response of refused) await expectProblem(response, 403, 'NotRegistered');
    assert.deepEqual(await stored(first, 'alice'), [0, 0, 0, 0]);
  });

  test('a creation that was in flight brings nothing back', async (t) => {
    const first = await startServer(t, { env: { AUTO_REGISTER: 'false' } });
    const proxy = await proxyStore(t, first.uri);
    const second = await startServer(t, { env: { AUTO_REGISTER: 'false' }, tenant: first.tenant, uri: proxy.uri });
    await first.connection.collection('users').insertOne({ oid: 'alice', firstSeen: new Date() });
    const alice = second.as('alice');
    await fill(alice);

    proxy.stall();
    const inFlight = alice.post('/api/tasks', { Text: 'in flight' }, { 'Idempotency-Key': 'one' });
    await first.as('alice').delete('/api/me');
    await proxy.resume();
    const response = await inFlight;

    assert.notEqual(response.status, 201);
    assert.deepEqual(await stored(first, 'alice'), [0, 0, 0, 0]);
  });

  test('writers on two instances leave nothing behind that has no user', async (t) => {
    const instances = await twoInstances(t);
    const [first, second] = instances;
    let isOver = false;
    const statuses = new Set<number>();
    const writing = instances.flatMap(({ as }) =>
      [0, 1].map(async (writer) => {
        for (let i = 0; !isOver; i += 1) {
          await sleep(20); // an erasure takes seconds, which need not be spent on load
          const headers = writer === 0 ? {} : { 'Idempotency-Key': randomUUID() };
          statuses.add((await as('alice').post('/api/tasks', { Text: `Task ${i}` }, headers)).status);
          await as('alice').get('/api/tasks/changes');
        }
      }),
    );

    for (const { as } of [first, second, first]) assert.equal((await as('alice').delete('/api/me')).status, 204);
    isOver = true;
    await Promise.all(writing);
    const [, tasks = 0, syncs = 0, users] = await stored(first, 'alice');

    // Whatever came after the last erasure is a life that both instances, and the operator, see whole.
    assert.ok(users === 1 || tasks + syncs === 0, `${tasks} tasks, ${syncs} syncs, ${users} users`);
    const lists = await Promise.all(instances.map(({ as }) => as('alice').list()));
    assert.deepEqual(lists[0], lists[1]);
    assert.deepEqual(
      [...statuses].filter((status) => status !== 201 && status !== 503),
      [],
    );
  });

  test('an erasure that was interrupted is finished by the next call', async (t) => {
    const server = await startServer(t);
    await fill(server.as('alice'));
    await interrupt(server, 'alice');

    // Another instance, which does not remember her.
    const other = await startServer(t, { tenant: server.tenant, uri: server.uri });
    const response = await other.as('alice').get('/api/tasks');

    assert.deepEqual(await response.json(), []);
    assert.deepEqual(await stored(server, 'alice'), [0, 0, 0, 1]);
  });

  test('an erasure stops when the time of its request is over, and goes on when it is asked for again', async (t) => {
    const server = await startServer(t);
    const hasty = await startServer(t, { tenant: server.tenant, uri: server.uri, storeMs: 1_000 });
    await fill(server.as('alice'));

    await expectProblem(await hasty.as('alice').delete('/api/me'), 503, 'StoreUnavailable');
    const response = await server.as('alice').delete('/api/me');

    assert.equal(response.status, 204);
    assert.deepEqual(await stored(server, 'alice'), [0, 0, 0, 0]);
  });

  test('each command of an erasure has its whole time, however slow the store', async (t) => {
    const { uri } = await testDatabase(t);
    const server = await startServer(t, { uri: `${uri}${uri.includes('?') ? '&' : '?'}monitorCommands=true` });
    await fill(server.as('alice'));
    const steps: string[] = [];
    server.connection.getClient().on('commandStarted', ({ commandName, command }) => {
      if (['find', 'aggregate', 'delete'].includes(commandName)) steps.push(`${commandName} ${command[commandName]}`);
    });
    const extend = (): unknown => steps.push('extend');

    await erasePerson(server.connection, 'alice', new Date(), { signal: new AbortController().signal, extend });

    const afterMark = steps.slice(steps.indexOf('extend'));
    const late = afterMark.filter((step, i) => step !== 'extend' && afterMark[i - 1] !== 'extend');
    assert.ok(afterMark.includes('delete tasks'));
    assert.deepEqual(late, []);
  });

  test('an erasure that was interrupted is finished by the next start', async (t) => {
    const server = await startServer(t);
    await fill(server.as('alice'));
    await interrupt(server, 'alice');

    await startServer(t, { tenant: server.tenant, uri: server.uri });

    while ((await stored(server, 'alice')).some((count) => count > 0)) await sleep(20);
    assert.equal(await finishErasures(server.connection, new Date()), 0);
  });
});

/** What a process leaves that is killed in the middle of an erasure. */
async function interrupt({ connection }: TestServer, oid: string): Promise<void> {
  await connection.collection('users').updateOne({ oid }, { $set: { erasing: new mongoose.Types.ObjectId() } });
  await connection.collection('creations').deleteMany({ owner: oid });
}
