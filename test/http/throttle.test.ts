import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import restify, { type Request, type Response as RestifyResponse } from 'restify';
import { UnauthorizedError } from '../../src/errors.ts';
import { guard } from '../../src/http/guard.ts';
import { answerProblems } from '../../src/http/problem.ts';
import { send } from '../../src/http/respond.ts';
import { createThrottle, type ThrottleOptions } from '../../src/http/throttle.ts';
import { createLog } from '../../src/log.ts';
import { expectProblem } from '../support/client.ts';
import { type MovableClock, movableClock } from '../support/clock.ts';
import { testDatabase } from '../support/database.ts';
import { startServer } from '../support/server.ts';
import { handlerOf } from '../support/steps.ts';
import { proxyStore, startProxy } from '../support/tcpProxy.ts';
import { startTenant } from '../support/tenant.ts';
import { until } from '../support/until.ts';

test('a user has the burst, then a request for each 1/rate seconds', async (t) => {
  const { get, clock } = await startGate(t);
  assert.deepEqual(await statuses(10, () => get('Bearer alice')), Array(10).fill(204));

  const refused = await get('Bearer alice');
  clock.advance(200);
  const afterwards = await statuses(2, () => get('Bearer alice'));

  await expectProblem(refused, 429, 'TooManyRequests', 'too many requests: wait 1 s');
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.deepEqual(rateLimit(refused), { limit: '10', remaining: '0', reset: '2' });
  assert.deepEqual(afterwards, [204, 429]);
});

test('every answer of a throttled route says what is left', async (t) => {
  const { get, clock } = await startGate(t);

  const first = rateLimit(await get('Bearer alice'));
  const second = rateLimit(await get('Bearer alice'));
  const unauthorized = rateLimit(await get());
  clock.advance(400);
  const later = rateLimit(await get('Bearer alice'));

  assert.deepEqual(first, { limit: '10', remaining: '9', reset: '1' });
  assert.deepEqual(second, { limit: '10', remaining: '8', reset: '1' });
  assert.deepEqual(unauthorized, { limit: '10', remaining: '9', reset: '1' });
  assert.deepEqual(later, { limit: '10', remaining: '9', reset: '1' });
});

test('users at one address do not spend each other’s requests, nor those of the address', async (t) => {
  const { get } = await startGate(t);

  await statuses(11, () => get('Bearer alice'));

  assert.equal((await get('Bearer bob')).status, 204);
  assert.equal((await get()).status, 401);
});

test('requests without a good token are charged to the address, which is then refused before anything is verified', async (t) => {
  const { get, verified, clock } = await startGate(t);
  assert.deepEqual(await statuses(10, () => get('Bearer ')), Array(10).fill(401));
  const before = verified();

  const refused = await get('Bearer alice');
  clock.advance(200);
  const afterwards = await get('Bearer alice');

  await expectProblem(refused, 429, 'TooManyRequests');
  assert.equal(refused.headers.get('www-authenticate'), null);
  assert.equal(verified(), before + 1);
  assert.equal(afterwards.status, 204);
});

test('of many bad requests at once, no more than the burst learn why', async (t) => {
  const { get } = await startGate(t);

  const answers = await Promise.all(Array.from({ length: 40 }, async () => (await get()).status));

  assert.deepEqual(answers.sort(), [...Array<number>(10).fill(401), ...Array<number>(30).fill(429)]);
});

test('a token that was verified before passes a spent address', async (t) => {
  const isRemembered = ({ headers }: Request): boolean => headers.authorization === 'Bearer alice';
  const { get } = await startGate(t, { isRemembered });
  await statuses(10, () => get());

  assert.equal((await get()).status, 429);
  assert.equal((await get('Bearer bob')).status, 429);
  assert.equal((await get('Bearer alice')).status, 204);
});

test('those who are refused together are told to come back one after the other', async (t) => {
  const { get } = await startGate(t, { random: spread() });
  await statuses(10, () => get('Bearer alice'));

  const waits = await Promise.all(
    Array.from({ length: 30 }, async () => Number((await get('Bearer alice')).headers.get('retry-after'))),
  );

  assert.ok(new Set(waits).size >= 4);
  assert.ok(Math.min(...waits) >= 1 && Math.max(...waits) <= 5);
});

test('what is open to all has a bucket of its own for each address, ten times as wide', async (t) => {
  const { get, getOpen } = await startGate(t);
  await statuses(11, () => get());

  const answers = await statuses(101, () => getOpen());

  assert.deepEqual(answers, [...Array<number>(100).fill(204), 429]);
});

test('X-Forwarded-For buys nothing when the proxy is not trusted', async (t) => {
  const { get } = await startGate(t);

  const answers = await statuses(11, (i) => get(undefined, `198.51.100.${i}`));

  assert.deepEqual(answers, [...Array<number>(10).fill(401), 429]);
});

for (const [trustProxy, times] of Object.entries({ false: 1, 1: 0 })) {
  test(`X-Forwarded-For while TRUST_PROXY is ${trustProxy} makes ${times} warnings, however often it comes`, async (t) => {
    const server = await startServer(t, { env: { THROTTLE_RATE: '5', TRUST_PROXY: trustProxy } });

    for (let i = 0; i < 3; i += 1) await server.anonymous.get('/api/tasks', { 'X-Forwarded-For': '198.51.100.7' });

    const warnings = server.logs.filter(({ msg }) => String(msg).includes('TRUST_PROXY is off'));
    assert.deepEqual([warnings.length, warnings.every(({ level }) => level === 40)], [times, true]);
  });
}

test('behind a trusted proxy each client is counted by the entry that the proxy wrote', async (t) => {
  const { get } = await startGate(t, { trustProxy: 1 });

  const spoofed = await statuses(11, (i) => get(undefined, `203.0.113.${i}, 198.51.100.7`));
  const another = await get(undefined, '203.0.113.1, 198.51.100.8');

  assert.deepEqual(spoofed, [...Array<number>(10).fill(401), 429]);
  assert.equal(another.status, 401);
});

test('a flood of addresses does not give a spent one its requests back', async (t) => {
  const { get } = await startGate(t, { trustProxy: 1, maxBuckets: 20 });
  await statuses(10, () => get(undefined, '198.51.100.7'));

  await statuses(100, (i) => get(undefined, `203.0.113.${i}`));

  assert.equal((await get('Bearer alice', '198.51.100.7')).status, 429);
});

test('each refused request is reported with the kind of its bucket', async (t) => {
  const refused: string[] = [];
  const { get } = await startGate(t, { burst: 1, onThrottled: (bucket) => refused.push(bucket) });

  await statuses(2, () => get('Bearer alice'));
  await statuses(2, () => get());

  assert.deepEqual(refused, ['user', 'address']);
});

test('a rate of 0 switches throttling off', async (t) => {
  const { get } = await startGate(t, { rate: 0 });

  const answers = await statuses(30, () => get('Bearer alice'));
  const last = await get();

  assert.deepEqual(answers, Array(30).fill(204));
  assert.equal(last.status, 401);
  assert.equal(last.headers.get('ratelimit-limit'), null);
});

test('a user with too many requests under way is refused at once, and nobody else is', async (t) => {
  const proxy = await proxyStore(t, (await testDatabase(t)).uri);
  const { as, app } = await startServer(t, { uri: proxy.uri, limits: { inFlightPerUser: 2 } });
  const [alice, bob] = [as('alice'), as('bob')];
  await Promise.all([alice.list(), bob.list()]);

  proxy.stall();
  const waiting = [alice.get('/api/tasks'), alice.get('/api/tasks')];
  await until(() => app.server.inflightRequests() >= 2);
  const refused = await alice.get('/api/tasks');
  const served = await bob.get('/hello');
  await proxy.resume();

  await expectProblem(refused, 429, 'TooManyRequests');
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal(served.status, 200);
  for (const response of await Promise.all(waiting)) assert.ok([200, 503].includes(response.status));
  await until(async () => (await alice.get('/api/tasks')).status === 200);
});

test('a client that leaves while its token is verified takes up no place', async (t) => {
  const tenant = await startTenant(t);
  const proxy = await startProxy(t, { host: '127.0.0.1', port: tenant.port });
  const metadata = tenant.metadataUrl('{policy}').replace(String(tenant.port), String(proxy.port));
  const env = { B2C_IDENTITY_METADATA: metadata };
  const { port, as, app } = await startServer(t, { tenant, env, limits: { inFlightPerUser: 1 } });
  const accepted = once(app.server.server as HttpServer, 'connection') as Promise<[Socket]>;
  proxy.stall();
  tenant.rotate('second');
  const alice = as('alice');
  const leaving = connect(port, '127.0.0.1');
  leaving.write(`GET /hello HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${alice.token ?? ''}\r\n\r\n`);
  await until(() => app.server.inflightRequests() === 1);

  const [socket] = await accepted;
  leaving.resetAndDestroy();
  await until(() => socket.closed);
  await proxy.resume();
  await until(() => app.server.inflightRequests() === 0);

  assert.equal((await alice.get('/hello')).status, 200);
});

/** Numbers from 0 to 1, far apart. */
function spread(): () => number {
  let n = 0;
  return () => (n++ % 10) / 10;
}

async function statuses(count: number, send: (i: number) => Promise<Response>): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i += 1) all.push((await send(i)).status);
  return all;
}

function rateLimit({ headers }: Response) {
  return {
    limit: headers.get('ratelimit-limit'),
    remaining: headers.get('ratelimit-remaining'),
    reset: headers.get('ratelimit-reset'),
  };
}

interface Gate {
  get: (authorization?: string, forwardedFor?: string) => Promise<Response>;
  /** Something that needs no token. */
  getOpen: () => Promise<Response>;
  /** How often somebody's credentials were looked at. */
  verified: () => number;
  clock: MovableClock;
}

/** The throttle in a real restify server, in front of a gate that lets in whoever says `Bearer <name>`. */
async function startGate(t: TestContext, options: Partial<ThrottleOptions> = {}): Promise<Gate> {
  const clock = movableClock();
  const throttle = createThrottle({ rate: 5, burst: 10, trustProxy: 0, clock, random: () => 0, ...options });
  let verified = 0;
  const authenticate = async (req: Request): Promise<void> => {
    verified += 1;
    const name = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1];
    if (name === undefined) throw new UnauthorizedError('who are you?');
    req.user = { oid: name, name };
  };
  const server = restify.createServer({ name: '', log: createLog('fatal', process.stdout) });
  guard(server, server.server);
  answerProblems(server, { isPlainText: () => false, translate: () => undefined });
  server.get('/open', handlerOf(throttle.chargeOpen), answer);
  server.get('/', handlerOf(throttle.around(authenticate), throttle.chargeUser), answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    (server.server as HttpServer).closeAllConnections();
  });
  const url = `http://127.0.0.1:${server.address().port}/`;
  return {
    get: (authorization, forwardedFor) => fetchAs(url, authorization, forwardedFor),
    getOpen: () => fetch(`${url}open`),
    verified: () => verified,
    clock,
  };
}

async function answer(req: Request, res: RestifyResponse): Promise<void> {
  void send(req, res, { status: 204 });
}

function fetchAs(url: string, authorization?: string, forwardedFor?: string): Promise<Response> {
  const headers = {
    ...(authorization === undefined ? {} : { Authorization: authorization }),
    ...(forwardedFor === undefined ? {} : { 'X-Forwarded-For': forwardedFor }),
  };
  return fetch(url, { headers });
}
