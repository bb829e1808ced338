import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { testDatabase } from './support/database.ts';
import { startServer, type TestServer } from './support/server.ts';
import { proxyStore } from './support/tcpProxy.ts';
import { until } from './support/until.ts';

const HEADERS = { 'X-Request-Id': 'this-one' };

/** The line of the request that was sent with these headers. */
async function lineOf(server: TestServer): Promise<Record<string, unknown>> {
  const find = () => server.logs.find(({ requestId, msg }) => requestId === 'this-one' && msg === 'handled');
  await until(() => find() !== undefined);
  return find() ?? {};
}

const shown: Record<string, [method: string, path: string, logged: string]> = {
  'a collection': ['GET', '/api/tasks?q=Buy+milk', '/api/tasks'],
  'an id': ['GET', '/api/tasks/6742d0c4e1a2b3c4d5e6f708', '/api/tasks/6742d0c4e1a2b3c4d5e6f708'],
  'a text in the URL': ['POST', '/api/tasks/me/Buy%20milk', '/api/tasks/…/…'],
  'a text of one word': ['DELETE', '/api/tasks/alice/milk', '/api/tasks/…/…'],
  'what is no id': ['GET', '/api/tasks/milk', '/api/tasks/…'],
  'a slip in a name': ['GET', '/api/taks', '/api/taks'],
  'a text after a slip': ['GET', '/tasks/milk/more', '/tasks/…/…'],
  'a token in a path': ['GET', '/eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln', '/…'],
};
for (const [what, [method, path, logged]] of Object.entries(shown)) {
  test(`in development a log line has the path, but ${what} as ${logged}`, async (t) => {
    const server = await startServer(t);

    await (await server.as('alice').request(method, path, { headers: HEADERS })).arrayBuffer();

    const line = await lineOf(server);
    assert.equal(line['path'], logged);
    if (line['status'] === 404) assert.match(String(line['code']), /NotFound$/);
  });
}

test('a path that leads nowhere is logged at no level: it may hold a text', async (t) => {
  const server = await startServer(t);

  for (const method of ['GET', 'POST']) {
    const sent = await server.as('alice').request(method, '/api/tasks/me/Buy%20milk/or-bread', { headers: HEADERS });
    await sent.arrayBuffer();
  }

  await lineOf(server);
  assert.doesNotMatch(JSON.stringify(server.logs), /milk|bread/);
});

test('a log line has the code that the client got', async (t) => {
  const server = await startServer(t);

  await (await server.as('alice').post('/api/tasks', {}, HEADERS)).arrayBuffer();

  const line = await lineOf(server);
  assert.deepEqual([line['status'], line['code']], [409, 'MissingTask']);
});

test('the line of a client that left early has no status of an answer that nobody got', async (t) => {
  const proxy = await proxyStore(t, (await testDatabase(t)).uri);
  const server = await startServer(t, { uri: proxy.uri });
  const alice = server.as('alice');
  await alice.list();
  const httpServer = server.app.server.server as HttpServer;
  const accepted = once(httpServer, 'connection') as Promise<[Socket]>;
  const leaving = connect(server.port, '127.0.0.1');
  const [socket] = await accepted;
  const headers = Object.entries({ ...HEADERS, Host: 'localhost', Authorization: `Bearer ${alice.token ?? ''}` });
  proxy.stall();
  leaving.write(`GET /api/tasks HTTP/1.1\r\n${headers.map((header) => `${header.join(': ')}\r\n`).join('')}\r\n`);
  await until(() => server.app.server.inflightRequests() === 1);

  leaving.resetAndDestroy();
  await until(() => socket.destroyed);
  await proxy.resume();

  const line = await lineOf(server);
  assert.deepEqual([line['status'], line['code']], [444, 'RequestClose']);
});

test('in production no path is logged', async (t) => {
  const server = await startServer(t, { env: { NODE_ENV: 'production' } });

  await (await server.as('alice').get('/api/tasks', HEADERS)).arrayBuffer();

  const line = await lineOf(server);
  assert.equal(line['route'], 'ListTasks');
  assert.equal('path' in line, false);
});
