import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { requestDeadline } from '../../src/database/deadline.ts';
import { UserStore } from '../../src/people/store.ts';
import { expectProblem } from '../support/client.ts';
import { movableClock } from '../support/clock.ts';
import { testDatabase } from '../support/database.ts';
import { type ServerOptions, startServer, type TestServer } from '../support/server.ts';
import { proxyStore } from '../support/tcpProxy.ts';
import { until } from '../support/until.ts';

const MINUTE_MS = 60_000;

interface Counted extends TestServer {
  /** Names of the commands that the store was sent since the last call. */
  commands: () => string[];
  users: UserStore;
}

/** A server whose commands to the store are counted; the driver's own heartbeat is not. */
async function startCounted(t: TestContext, options: ServerOptions = {}): Promise<Counted> {
  const uri = options.uri ?? (await testDatabase(t)).uri;
  const separator = uri.includes('?') ? '&' : '?';
  const server = await startServer(t, { ...options, uri: `${uri}${separator}monitorCommands=true` });
  let sent: string[] = [];
  server.connection.getClient().on('commandStarted', ({ commandName }) => {
    if (commandName !== 'ping' && commandName !== 'endSessions') sent.push(commandName);
  });
  const commands = (): string[] => {
    const since = sent;
    sent = [];
    return since;
  };
  return Object.assign(server, { commands, users: new UserStore(server.connection) });
}

describe('registration', { concurrency: true }, () => {
  test('whoever calls for the first time is recorded, with the name and the time', async (t) => {
    const clock = movableClock();
    const { as, users } = await startCounted(t, { clock });

    const response = await as('alice', { name: 'Alice Liddell' }).get('/hello');

    assert.equal(response.status, 200);
    const at = new Date(clock.now());
    assert.deepEqual(await users.get('alice'), { oid: 'alice', name: 'Alice Liddell', firstSeen: at, lastSeen: at });
  });

  test('a user who is known costs no query', async (t) => {
    const { as, commands } = await startCounted(t);
    const alice = as('alice');
    await alice.get('/hello');
    commands();

    for (let i = 0; i < 20; i += 1) assert.equal((await alice.get('/hello')).status, 200);

    assert.deepEqual(commands(), []);
  });

  test('a user whose first requests come all at once is written once', async (t) => {
    const { as, commands, users } = await startCounted(t);
    const alice = as('alice');

    const responses = await Promise.all(Array.from({ length: 20 }, () => alice.get('/hello')));

    assert.ok(responses.every(({ status }) => status === 200));
    assert.deepEqual(commands(), ['update']);
    assert.equal((await users.list()).length, 1);
  });

  test('a task that is created right after another costs no query', async (t) => {
    const { as, commands } = await startCounted(t);
    const operations = Array.from({ length: 3 }, () => ({ method: 'POST', path: '/api/tasks', body: { Text: 'x' } }));
    await as('alice').create({ Text: 'the first' });
    commands();

    // A slow machine may not create one right after another, but it will not fail each time.
    await until(async () => {
      await as('alice').post('/api/batch', { operations });
      return commands().filter((name) => name !== 'insert').length <= 1;
    });
  });

  test('several instances that see the same new users at once make one of each', async (t) => {
    const { uri } = await testDatabase(t);
    const first = await startCounted(t, { uri });
    const second = await startCounted(t, { uri, tenant: first.tenant });
    const names = Array.from({ length: 30 }, (_, number) => `user-${String(number).padStart(2, '0')}`);

    const responses = await Promise.all(
      names.flatMap((name) => [first, second].map(async ({ as }) => await as(name).get('/hello'))),
    );

    assert.ok(responses.every(({ status }) => status === 200));
    assert.deepEqual(
      (await first.users.list()).map(({ oid }) => oid),
      names,
    );
  });

  test('the last call and a new name are written once a minute at most', async (t) => {
    const clock = movableClock();
    const { as, commands, users } = await startCounted(t, { clock });
    const start = new Date(clock.now());
    await as('alice', { name: 'Alice' }).get('/hello');
    commands();

    clock.advance(MINUTE_MS - 1);
    await as('alice', { name: 'Alice Hargreaves' }).get('/hello');
    const early = commands();
    clock.advance(1);
    await as('alice', { name: 'Alice Hargreaves' }).get('/hello');
    const due = commands();

    assert.deepEqual(early, []);
    assert.deepEqual(due, ['update']);
    const lastSeen = new Date(clock.now());
    assert.deepEqual(await users.get('alice'), { oid: 'alice', name: 'Alice Hargreaves', firstSeen: start, lastSeen });
  });

  test('a token without a name keeps the name that is known', async (t) => {
    const clock = movableClock();
    const { as, users } = await startCounted(t, { clock });
    await as('alice', { name: 'Alice' }).get('/hello');

    clock.advance(5 * MINUTE_MS);
    await as('alice', { name: undefined }).get('/hello');

    assert.equal((await users.get('alice'))?.name, 'Alice');
  });

  test('with AUTO_REGISTER=false a stranger is refused, and nothing is written about them', async (t) => {
    const { as, users } = await startCounted(t, { env: { AUTO_REGISTER: 'false' } });

    const response = await as('mallory').get('/api/tasks');

    await expectProblem(response, 403, 'NotRegistered');
    assert.deepEqual(await users.list(), []);
  });

  test('with AUTO_REGISTER=false a user who was added may call, five seconds after being refused', async (t) => {
    const clock = movableClock();
    const { as, commands, users } = await startCounted(t, { clock, env: { AUTO_REGISTER: 'false' } });
    const alice = as('alice');
    await expectProblem(await alice.get('/hello'), 403, 'NotRegistered');
    await users.add('alice', 'Alice', new Date(clock.now()));
    commands();

    const tooEarly = await alice.get('/hello');
    const whileRemembered = commands();
    clock.advance(5000);
    const later = await alice.get('/hello');

    assert.equal(tooEarly.status, 403);
    assert.deepEqual(whileRemembered, []);
    assert.equal(later.status, 200);
    assert.deepEqual((await users.get('alice'))?.lastSeen, new Date(clock.now()));
  });

  test('with AUTO_REGISTER=false a user who was erased is refused after a minute, and until then costs no query', async (t) => {
    const clock = movableClock();
    const { as, commands, users, connection } = await startCounted(t, { clock, env: { AUTO_REGISTER: 'false' } });
    await users.add('alice', 'Alice', new Date(clock.now()));
    await as('alice').get('/hello');
    await connection.collection('users').deleteOne({ oid: 'alice' });
    commands();

    clock.advance(MINUTE_MS - 1);
    const remembered = await as('alice').get('/hello');
    const cost = commands();
    clock.advance(1);
    const asked = await as('alice').get('/hello');

    assert.equal(remembered.status, 200);
    assert.deepEqual(cost, []);
    await expectProblem(asked, 403, 'NotRegistered');
  });

  test('a user who was erased and goes on calling is registered anew within a minute, whatever the clock does', async (t) => {
    const clock = movableClock();
    const { as, users, connection } = await startCounted(t, { clock });
    for (const moved of [MINUTE_MS, -1]) {
      await as('alice').get('/hello');
      await connection.collection('users').deleteOne({ oid: 'alice' });

      clock.advance(moved);
      await as('alice').get('/hello');

      assert.ok(await users.get('alice'), `clock moved by ${moved} ms`);
    }
  });

  test('a first call while the store hangs is 503, and the next one is served', async (t) => {
    const proxy = await proxyStore(t, (await testDatabase(t, { isPatient: false })).uri);
    const { as, users } = await startCounted(t, { uri: proxy.uri });

    proxy.stall();
    const refused = await as('alice').get('/hello');
    await proxy.resume();
    const served = await as('alice').get('/hello');

    await expectProblem(refused, 503, 'StoreUnavailable');
    assert.equal(refused.headers.get('Retry-After'), '2');
    assert.equal(served.status, 200);
    assert.ok(await users.get('alice', requestDeadline()));
  });
});
