import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../src/http/limits.ts';
import { sendRaw } from '../support/raw.ts';
import { startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const HOST = 'Host: localhost\r\n';

/** What a broken or hostile client sends, and the status that it gets. */
const requests: Record<string, [bytes: string, status: number]> = {
  'a Host that is no URL': ['GET / HTTP/1.1\r\nHost: [\r\n\r\n', 400],
  'a Host with a space': ['GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  'a Host with a port out of range': ['GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n', 400],
  'a Host that names another route': ['GET / HTTP/1.1\r\nHost: x/metrics?\r\n\r\n', 400],
  'a Host with credentials': ['GET / HTTP/1.1\r\nHost: user@a\r\n\r\n', 400],
  'two Host headers': [`GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
  'no Host header': ['GET / HTTP/1.1\r\n\r\n', 400],
  'an absolute target with a bad authority': [`GET http://[/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  'an absolute target with a port out of range': [`GET http://a:99999/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  'a target of another scheme': [`GET ftp://a/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  'an asterisk that is not for OPTIONS': [`GET * HTTP/1.1\r\n${HOST}\r\n`, 400],
  'an absolute target': [`GET http://localhost/ HTTP/1.1\r\n${HOST}\r\n`, 200],
  'HTTP/1.0 without a Host': ['GET / HTTP/1.0\r\n\r\n', 200],
  'an upgrade to websocket': [`GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 200],
  'an upgrade to HTTP/2': [
    `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
    200,
  ],
  'a percent-encoding that is none': [`GET /api/tasks/%zz HTTP/1.1\r\n${HOST}\r\n`, 404],
  'a percent-encoding that is not UTF-8': [`GET /api/tasks/%ff HTTP/1.1\r\n${HOST}\r\n`, 404],
  'a method that HTTP does not know': [`BREW / HTTP/1.1\r\n${HOST}\r\n`, 501],
  'a request line without a version': [`GET /\r\n${HOST}\r\n`, 400],
  'HTTP/0.9': [`GET / HTTP/0.9\r\n${HOST}\r\n`, 400],
  'HTTP/2.0': [`GET / HTTP/2.0\r\n${HOST}\r\n`, 505],
  'a version that does not exist': [`GET / HTTP/1.7\r\n${HOST}\r\n`, 505],
  'a Host with an empty port': ['GET / HTTP/1.1\r\nHost: localhost:\r\n\r\n', 200],
  'a coding beside chunked': [
    `POST /tasks HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    501,
  ],
  'a coding in two headers': [
    `POST /tasks HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    501,
  ],
  'an expectation with HTTP/1.0, which knows none': [`GET / HTTP/1.0\r\n${HOST}Expect: coffee\r\n\r\n`, 200],
  'a tunnel to somewhere else': ['CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', 400],
  'a target with a fragment': [`GET /#x HTTP/1.1\r\n${HOST}\r\n`, 400],
  'a method that the path does not know': [`PROPFIND /api/tasks HTTP/1.1\r\n${HOST}\r\n`, 405],
  'an expectation that nobody meets': [`GET / HTTP/1.1\r\n${HOST}Expect: coffee\r\n\r\n`, 417],
  'no HTTP at all': ['\x16\x03\x01\x02\x00\x01\x00\x01', 400],
  'a length and a transfer coding': [
    `POST /api/tasks HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  'two lengths': [`POST /api/tasks HTTP/1.1\r\n${HOST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`, 400],
  'a negative length': [`POST /api/tasks HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`, 400],
  'an unknown transfer coding': [`POST /api/tasks HTTP/1.1\r\n${HOST}Transfer-Encoding: xyz\r\n\r\n`, 400],
  'a chunk size that is no number': [`POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
  'a folded header': [`GET / HTTP/1.1\r\n${HOST}A: b\r\n c\r\n\r\n`, 400],
  'a NUL in a header': [`GET / HTTP/1.1\r\n${HOST}A: b\0c\r\n\r\n`, 400],
  'a bare line feed in a target': [`GET /a\nb HTTP/1.1\r\n${HOST}\r\n`, 400],
  'headers beyond 64 KiB': [`GET / HTTP/1.1\r\n${HOST}A: ${'a'.repeat(66_000)}\r\n\r\n`, 431],
  'a target beyond 64 KiB': [`GET /${'a'.repeat(66_000)} HTTP/1.1\r\n${HOST}\r\n`, 431],
};

test('whatever a client sends, it gets the right answer as a problem, and the next one is served', async (t) => {
  const { port, anonymous, app } = await startServer(t);

  for (const [name, [bytes, status]] of Object.entries(requests)) {
    await t.test(name, async () => {
      const { text, statuses } = await sendRaw(port, bytes, { isEnded: true });

      assert.equal(statuses.at(-1), status, text);
      assert.match(text, /^X-Request-Id: \S+\r$/m);
      assert.match(text, /^X-Content-Type-Options: nosniff\r$/m);
      assert.match(text, /^Date: .+ GMT\r$/m);
      assert.match(text, /^Access-Control-Allow-Origin: \*\r$/m);
      assert.match(text, /^Access-Control-Expose-Headers: .*X-Request-Id.*\r$/m);
      assert.doesNotMatch(text, /restify|express|node\.js|^server:/im);
      if (status >= 400) {
        assert.match(text, /^Content-Type: application\/problem\+json\r$/m);
        assert.match(text, new RegExp(`"status":${status},"detail":".+","code":"[A-Za-z]+"`));
      }
      assert.equal((await anonymous.get('/healthz')).status, 200);
    });
  }
  // The probe itself no longer counts once its answer has left.
  assert.equal(app.server.inflightRequests(), 0);
});

test('pipelined requests are answered in order', async (t) => {
  const { port } = await startServer(t);
  const one = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`;

  const { statuses } = await sendRaw(port, one('/healthz') + one('/nothing') + one('/api/tasks') + one('/healthz'));

  assert.deepEqual(statuses, [200, 404, 401, 200]);
});

test('a request that stops is answered before its connection counts as idle, and both within a minute', () => {
  const { requestMs, idleMs, checkMs } = DEFAULT_LIMITS;

  assert.ok(requestMs + 2 * checkMs < idleMs);
  assert.ok(idleMs + checkMs < 60_000);
});

test('garbage after a whole request does not take the place of its answer', async (t) => {
  const { port, as } = await startServer(t);
  const alice = as('alice');
  const head = `POST /api/tasks HTTP/1.1\r\n${HOST}Authorization: Bearer ${alice.token ?? ''}\r\n`;
  const body = '{"Text":"Buy milk"}';

  const { statuses, isClosed } = await sendRaw(
    port,
    `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}\x16\x03garbage\r\n\r\n`,
    { waitMs: 5_000 },
  );

  assert.deepEqual([statuses, isClosed], [[201, 400], true]);
  assert.equal((await alice.list()).length, 1);
});

test('a malformed request after a good one is refused once the good one is answered', async (t) => {
  const { port } = await startServer(t);

  const { statuses, isClosed } = await sendRaw(port, `GET /healthz HTTP/1.1\r\n${HOST}\r\nGARBAGE\r\n\r\n`, {
    waitMs: 5_000,
  });

  assert.deepEqual([statuses, isClosed], [[200, 400], true]);
});

for (const lineBreak of ['\r\n', '\n', '\r']) {
  test(`a token that was pasted with the line break ${JSON.stringify(lineBreak)} is refused with that reason`, async (t) => {
    const { port, as } = await startServer(t);
    const [first = '', second = ''] = as('alice').token?.split(/(?<=^.{80})/) ?? [];

    const { text, statuses } = await sendRaw(
      port,
      `GET /api/tasks HTTP/1.1\r\n${HOST}Authorization: Bearer ${first}${lineBreak}${second}\r\n\r\n`,
      { waitMs: 5_000 },
    );

    assert.deepEqual(statuses, [400], text);
    assert.match(text, /"detail":"a header contains a line break \(pasted with a token\?\)/);
  });
}

test('a method that the path does not know is answered with those that it does', async (t) => {
  const { port } = await startServer(t);

  const { text } = await sendRaw(port, `PROPFIND /api/tasks HTTP/1.1\r\n${HOST}\r\n`, { isEnded: true });

  assert.match(text, /^HTTP\/1.1 405 /);
  assert.match(text, /^Allow: GET, HEAD, POST, DELETE, OPTIONS\r$/m);
});

test('HTTP/1.0 gets no 100 Continue, and with a transfer coding its connection is closed', async (t) => {
  const { port, as } = await startServer(t);
  const head = `POST /api/tasks HTTP/1.0\r\nConnection: keep-alive\r\nAuthorization: Bearer ${as('alice').token ?? ''}\r\nContent-Type: application/json\r\n`;
  const body = '{"Text":"Buy milk"}';

  const expecting = await sendRaw(port, `${head}Expect: 100-continue\r\nContent-Length: 19\r\n\r\n${body}`);
  const chunked = await sendRaw(port, `${head}Transfer-Encoding: chunked\r\n\r\n13\r\n${body}\r\n0\r\n\r\n`, {
    waitMs: 5_000,
  });

  assert.deepEqual(expecting.statuses, [201]);
  assert.deepEqual([chunked.statuses, chunked.isClosed], [[201], true]);
  assert.match(chunked.text, /^Connection: close\r$/m);
});

test('with HTTP/1.1 a body that is announced is asked for, and then read', async (t) => {
  const { port, as } = await startServer(t);
  const head = `POST /api/tasks HTTP/1.1\r\n${HOST}Authorization: Bearer ${as('alice').token ?? ''}\r\nContent-Type: application/json\r\n`;

  const { statuses } = await sendRaw(
    port,
    `${head}Expect: 100-continue\r\nContent-Length: 19\r\n\r\n{"Text":"Buy milk"}`,
  );

  assert.deepEqual(statuses, [100, 201]);
});

for (const origins of ['https://a.example', 'https://a.example, https://b.example']) {
  test(`what the parser refuses can be read by ${origins}, and nobody else`, async (t) => {
    const { port } = await startServer(t, { env: { CORS_ORIGINS: origins } });
    const bad = (origin: string): string => `GET / HTTP/1.1\r\n${HOST}Origin: ${origin}\r\nA: b\0c\r\n\r\n`;

    const allowed = await sendRaw(port, bad('https://a.example'), { waitMs: 5_000 });
    const stranger = await sendRaw(port, bad('https://c.example'), { waitMs: 5_000 });

    assert.deepEqual([allowed.statuses, stranger.statuses], [[400], [400]]);
    assert.match(allowed.text, /^Access-Control-Allow-Origin: https:\/\/a\.example\r$/m);
    assert.doesNotMatch(stranger.text, /Access-Control/);
  });
}

test('nothing can follow an upgrade that is not made, and the client is told so', async (t) => {
  const { port } = await startServer(t);
  const upgrade = `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;

  const { text, statuses, isClosed } = await sendRaw(port, `${upgrade}GET /healthz HTTP/1.1\r\n${HOST}\r\n`);

  assert.deepEqual([statuses, isClosed], [[200], true]);
  assert.match(text, /^Connection: close\r$/m);
});

const limits = { requestMs: 300, idleMs: 400, checkMs: 50 };
const late = {
  'a connection that says nothing': '',
  'a request whose headers never end': `GET / HTTP/1.1\r\n${HOST}`,
};
for (const [name, bytes] of Object.entries(late)) {
  test(`${name} is cut off with 408`, async (t) => {
    const { port } = await startServer(t, { limits });

    const { text, isClosed, statuses } = await sendRaw(port, bytes, { waitMs: 5_000 });

    assert.deepEqual([statuses, isClosed], [[408], true], text);
    assert.match(text, /"code":"RequestTimeout"/);
  });
}

test('a body that never ends is cut off with 408, and nothing is stored', async (t) => {
  const { port, as } = await startServer(t, { limits });
  const alice = as('alice');
  const head = `POST /api/tasks HTTP/1.1\r\n${HOST}Authorization: Bearer ${alice.token ?? ''}\r\n`;

  const { isClosed, statuses } = await sendRaw(
    port,
    `${head}Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{"Text":"a"`,
    { waitMs: 5_000 },
  );

  assert.deepEqual([statuses, isClosed], [[408], true]);
  assert.deepEqual(await alice.list(), []);
});

test('an idle keep-alive connection is closed', async (t) => {
  const { port } = await startServer(t, { limits });

  const { isClosed, statuses } = await sendRaw(port, `GET /healthz HTTP/1.1\r\n${HOST}\r\n`, { waitMs: 5_000 });

  assert.deepEqual([statuses, isClosed], [[200], true]);
});

test('a client that leaves in the middle of its body harms nobody', async (t) => {
  const { port, as, app } = await startServer(t);
  const alice = as('alice');
  const head = `POST /api/tasks HTTP/1.1\r\n${HOST}Authorization: Bearer ${alice.token ?? ''}\r\n`;

  for (let i = 0; i < 20; i += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.write(`${head}Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{"Te`, () => socket.destroy());
  }

  assert.deepEqual(await alice.list(), []);
  await until(() => app.server.inflightRequests() === 0);
});
