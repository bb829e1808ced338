import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { expectProblem } from '../support/client.ts';
import { testDatabase } from '../support/database.ts';
import { startServer } from '../support/server.ts';
import { proxyStore, startProxy } from '../support/tcpProxy.ts';
import { startTenant } from '../support/tenant.ts';
import { until } from '../support/until.ts';

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
  const accepted = once(app.server.server as Server, 'connection') as Promise<[Socket]>;
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
