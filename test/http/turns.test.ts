import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectProblem } from '../support/client.ts';
import { testDatabase } from '../support/database.ts';
import { startServer } from '../support/server.ts';
import { proxyStore } from '../support/tcpProxy.ts';
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
