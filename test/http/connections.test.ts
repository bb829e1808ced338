import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server as HttpServer, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { testDatabase } from '../support/database.ts';
import { sendRaw } from '../support/raw.ts';
import { type ServerOptions, startServer, type TestServer } from '../support/server.ts';
import { proxyStore } from '../support/tcpProxy.ts';
import { until } from '../support/until.ts';

const HOST = 'Host: localhost\r\n';
const get = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`;
/** Asks for more than the kernel buffers for a client that does not read. */
const FLOOD = get('/openapi.json').repeat(1_200);

test('pipelined requests wait their turn: one is in progress at a time, and all are answered in order', async (t) => {
  const { port, most } = await startWatched(t);
  const paths = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? '/healthz' : '/nothing'));

  const { statuses } = await sendRaw(port, paths.map(get).join(''), { waitMs: 5_000, isEnded: true });

  assert.deepEqual(
    statuses,
    paths.map((path) => (path === '/healthz' ? 200 : 404)),
  );
  assert.equal(most(), 1);
});

test('a client that asks much and reads nothing has one answer waiting, and others are served', async (t) => {
  const { port, most, served, anonymous } = await startWatched(t);
  const silent = openSilent(t, port);

  silent.write(FLOOD);
  await untilStill(served);

  assert.ok(served() < 1_200);
  assert.equal((await anonymous.get('/healthz')).status, 200);
  assert.ok(most() <= 2);
});

test('requests that wait are bounded together: a client that sends one too many is cut off, and makes room for others', async (t) => {
  const { port } = await startServer(t, { limits: { waitingRequests: 100 } });

  const flood = await sendRaw(port, FLOOD, { waitMs: 5_000 });
  const { statuses } = await sendRaw(port, get('/healthz').repeat(50), { waitMs: 5_000, isEnded: true });

  assert.equal(flood.isClosed, true);
  assert.ok(flood.statuses.length < 100);
  assert.deepEqual(statuses, Array(50).fill(200));
});

test('a request that cannot be understood is refused after the answers to those that came with it', async (t) => {
  const { port } = await startServer(t);
  const chunked = `POST /tasks HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nno length\r\n`;
  for (const last of ['CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n', 'GET /\r\n\r\n', chunked]) {
    const { statuses, isClosed } = await sendRaw(port, get('/healthz').repeat(3) + last, { waitMs: 5_000 });

    assert.deepEqual([statuses, isClosed], [[200, 200, 200, 400], true], last);
  }
});

test('whoever connects is let in before those who came first are answered', async (t) => {
  const { app, port, sockets } = await startWatched(t, { limits: { acceptMs: 60_000 } });
  const letIn: number[] = [];
  app.server.on('request', () => letIn.push(sockets().length));

  const answers = await Promise.all(
    Array.from({ length: 40 }, () => sendRaw(port, get('/healthz'), { isEnded: true, waitMs: 5_000 })),
  );

  assert.ok(answers.every(({ statuses }) => statuses.length === 1 && statuses[0] === 200));
  assert.equal(letIn[0], 40);
});

test('a body may come in any pieces, and hold what looks like the end of a head', async (t) => {
  const { port, as } = await startServer(t);
  const alice = as('alice');
  const body = JSON.stringify({ Text: 'Buy milk' }, null, '\r\n\r\n');
  const request = `POST /api/tasks HTTP/1.1\r\n${HOST}Authorization: Bearer ${alice.token ?? ''}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));

  for (const part of (request + request).match(/[^]{1,37}/g) ?? []) {
    socket.write(part);
    await sleep(1);
  }
  await until(() => [...text.matchAll(/HTTP\/1.1 201 /g)].length === 2);
  socket.destroy();

  assert.equal((await alice.list()).length, 2);
});

for (const [name, readsSlowly] of Object.entries({ 'is not read at all': false, 'is read too slowly': true })) {
  test(`an answer that ${name} is cut off when its time is over`, async (t) => {
    const { port, sockets } = await startWatched(t, { limits: { answerMs: 300, checkMs: 20 } });
    const silent = openSilent(t, port);
    silent.write(FLOOD);
    const reading = setInterval(() => {
      if (readsSlowly) silent.read(1_000);
    }, 20);
    t.after(() => {
      clearInterval(reading);
    });

    await until(() => sockets().some(({ destroyed }) => destroyed));
  });
}

test('answers that nobody reads are bounded together: the oldest is cut off', async (t) => {
  const { port, sockets, served, anonymous } = await startWatched(t, { limits: { unreadBytes: 100_000 } });
  openSilent(t, port).write(FLOOD);
  await untilStill(served);
  const first = sockets().find(({ writableLength }) => writableLength > 0);

  const answer = await anonymous.get('/openapi.json');

  assert.equal(answer.status, 200);
  assert.equal(first?.destroyed, true);
  await answer.json();
});

test('answers to clients that have left do not count as unread', async (t) => {
  const proxy = await proxyStore(t, (await testDatabase(t)).uri);
  const limits = { unreadBytes: 1_000_000 };
  const { app, port, sockets, served, as, anonymous } = await startWatched(t, { uri: proxy.uri, limits });
  const alice = as('alice');
  for (let i = 0; i < 20; i += 1) await alice.create({ Text: `${i}`, notes: 'x'.repeat(16_384) });
  const list = `GET /api/tasks HTTP/1.1\r\n${HOST}Authorization: Bearer ${alice.token ?? ''}\r\n\r\n`;
  proxy.stall();
  const leaving = Array.from({ length: 8 }, () => connect(port, '127.0.0.1'));
  for (const socket of leaving) socket.write(list);
  await until(() => app.server.inflightRequests() === 8);

  for (const socket of leaving) socket.resetAndDestroy();
  await until(() => sockets().filter(({ destroyed }) => destroyed).length >= 8);
  await proxy.resume();
  await until(() => app.server.inflightRequests() === 0);

  openSilent(t, port).write(FLOOD);
  await untilStill(served);
  const silent = sockets().find(({ writableLength }) => writableLength > 0);
  assert.equal((await anonymous.get('/healthz')).status, 200);
  assert.equal(silent?.destroyed, false);
});

test('when there are too many connections, the one that has been idle longest makes room', async (t) => {
  const { port } = await startServer(t, { limits: { connections: 4 } });
  const idle = await Promise.all(Array.from({ length: 4 }, () => openAsking(port)));

  const { statuses } = await sendRaw(port, get('/healthz'), { waitMs: 5_000, isEnded: true });

  assert.deepEqual(statuses, [200]);
  await until(() => idle.some(({ closed }) => closed));
  for (const socket of idle) socket.destroy();
});

test('when no connection is idle, the new one is refused', async (t) => {
  const { port, sockets } = await startWatched(t, { limits: { connections: 3 } });
  const busy = await Promise.all(Array.from({ length: 3 }, () => openAsking(port)));
  for (const socket of busy) socket.write('GET / HTTP/1.1\r\n');
  await until(() => sockets().every(({ bytesRead }) => bytesRead > get('/healthz').length));

  const { statuses, isClosed } = await sendRaw(port, get('/healthz'), { waitMs: 5_000 });

  assert.deepEqual([statuses, isClosed], [[], true]);
  for (const socket of busy) socket.destroy();
});

const early: Record<string, [head: string, status: number]> = {
  'a body that is too large': [`POST /tasks HTTP/1.1\r\n${HOST}Authorization: Bearer TOKEN\r\n`, 413],
  'a body without a token': [`POST /tasks HTTP/1.1\r\n${HOST}`, 401],
  'a body for which there is no route': [`POST /nothing HTTP/1.1\r\n${HOST}`, 404],
};
for (const [name, [head, status]] of Object.entries(early)) {
  test(`${name} is answered before it is read, and the rest of it does the answer no harm`, async (t) => {
    const { port, as } = await startServer(t);
    const socket = connect(port, '127.0.0.1');
    const errors: unknown[] = [];
    socket.on('error', (error) => errors.push(error));
    socket.write(`${head.replace('TOKEN', as('alice').token ?? '')}Content-Length: 20000000\r\n\r\n`);
    await once(socket, 'readable');

    for (let i = 0; i < 100; i += 1) {
      socket.write(Buffer.alloc(10_000, 'GET / HTTP/1.1\r\n\r\n'));
      await sleep(1);
    }
    const text = String(socket.read());
    socket.end();
    socket.resume();
    await once(socket, 'close');

    assert.deepEqual(errors, []);
    assert.match(text, new RegExp(`^HTTP/1.1 ${status} `));
    assert.match(text, /^Connection: close\r$/m);
    assert.equal([...text.matchAll(/HTTP\/1.1 /g)].length, 1);
  });
}

test('a client that sends all of a large body at once still reads the answer that came before it', async (t) => {
  const { port } = await startServer(t);
  for (let i = 0; i < 5; i += 1) {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    const closed = once(socket, 'close');

    socket.write(`POST /nothing HTTP/1.1\r\n${HOST}Content-Length: 9000000\r\n\r\n`);
    socket.end(Buffer.alloc(9_000_000, 'x'));

    assert.deepEqual(await closed, [false]);
    assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 404 /);
  }
});

test('a refused request whose body came whole with it does not cost the connection', async (t) => {
  const { port } = await startServer(t);

  const { text, statuses } = await sendRaw(
    port,
    `POST /tasks HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello${get('/healthz')}`,
    { waitMs: 2_000 },
  );

  assert.deepEqual(statuses, [401, 200]);
  assert.doesNotMatch(text, /^Connection: close/m);
});

test('a client that has said all it had to say still gets its answers', async (t) => {
  const { port, as } = await startServer(t);
  const list = `GET /api/tasks HTTP/1.1\r\n${HOST}Authorization: Bearer ${as('alice').token ?? ''}\r\n\r\n`;

  const { statuses, isClosed } = await sendRaw(port, list.repeat(3), { waitMs: 5_000, isEnded: true });

  assert.deepEqual([statuses, isClosed], [[200, 200, 200], true]);
});

interface WatchedServer extends TestServer {
  /** Requests in progress at once, at most. */
  most: () => number;
  /** Requests begun. */
  served: () => number;
  /** The server's side of every connection. */
  sockets: () => Socket[];
}

async function startWatched(t: TestContext, options: ServerOptions = {}): Promise<WatchedServer> {
  const server = await startServer(t, options);
  const sockets: Socket[] = [];
  let [served, most] = [0, 0];
  const httpServer = server.app.server.server as HttpServer;
  httpServer.on('connection', (socket) => sockets.push(socket));
  const open = new Set<ServerResponse>();
  server.app.server.on('request', (_req: unknown, res: ServerResponse) => {
    served += 1;
    for (const other of open) if (other.writableFinished) open.delete(other);
    most = Math.max(most, open.add(res).size);
  });
  return { ...server, most: () => most, served: () => served, sockets: () => sockets };
}

/** A client that reads only when it is told to. */
function openSilent(t: TestContext, port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  t.after(() => socket.destroy());
  return socket;
}

/** A connection on which one request was answered. */
async function openAsking(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(get('/healthz'));
  await once(socket, 'data');
  return socket;
}

/** Waits until a number stays the same. */
async function untilStill(number: () => number): Promise<void> {
  for (let before = -1; before !== number() || before === 0;) {
    before = number();
    await sleep(300);
  }
}
