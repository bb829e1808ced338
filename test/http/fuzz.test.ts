import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sendRaw } from '../support/raw.ts';
import { startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/** The same mutations at every run: a failure can be repeated. */
const SEED = 20_261_124;
const BATCHES = 60;
const BATCH = 50;

const NASTY = [
  '\0', '\r\n', '\n', '\r\n\r\n', '%00', '%zz', '%2e%2e/', '/../', '//', '?', '#', '[', ']', ':', '\x80\xff', '"', '{', '}}',
  '{"$gt":""}', '__proto__', 'constructor', '[$ne]=', '$where', 'Content-Length: 99999999\r\n', 'Content-Length: 1\r\n',
  'Transfer-Encoding: chunked\r\n', 'Expect: 100-continue\r\n', 'Upgrade: websocket\r\nConnection: Upgrade\r\n',
  'Host: a\r\n', 'Authorization: Bearer x\r\n', 'Accept: ,;q=\r\n', 'Accept-Encoding: gzip;q=9\r\n', 'If-Match: W/"\r\n',
  'If-None-Match: *, *\r\n', 'Idempotency-Key: \x7f\r\n', 'Content-Type: application/json\r\n', 'HTTP/9.9', '-1', '1e999', 'A'.repeat(5_000),
]; // prettier-ignore

/** Well-formed requests, from which the mutations start. */
function corpus(token: string): string[] {
  const request = (line: string, body = '', headers = ''): string =>
    `${line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${headers}` +
    (body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`) +
    `\r\n${body}`;
  const id = 'a'.repeat(24);
  return [
    request('GET /api/tasks?limit=5&sort=-date&q=milk&completed=true&dueAfter=2026-01-01'),
    request('GET /api/tasks/changes?since=abc&limit=3'),
    request(`GET /api/tasks/${id}`, '', 'If-None-Match: "a", W/"b"\r\n'),
    request('POST /api/tasks', '{"Text":"Buy milk","completed":true,"date":"2026-11-24"}', 'Idempotency-Key: k\r\n'),
    request(`PUT /api/tasks/${id}`, '{"Text":"Buy milk"}', 'If-Match: "a"\r\n'),
    request(`PATCH /api/tasks/${id}`, '{"completed":null}'),
    request('DELETE /api/tasks', '{"task":"Buy milk"}'),
    request('POST /api/tasks/me/Buy%20milk'),
    request('DELETE /api/tasks/me/Buy%20milk'),
    request('POST /tasks', '{"task":"Buy milk"}', 'Expect: 100-continue\r\n'),
    request('OPTIONS /api/tasks', '', 'Origin: https://a.example\r\n'),
    request('GET /hello', '', 'Accept: application/json;q=0.5, */*\r\n'),
    request('POST /api/tasks', '4\r\n{"Te\r\n8\r\nxt":"a"}\r\n0\r\n\r\n').replace(
      /Content-Length: \d+/,
      'Transfer-Encoding: chunked',
    ),
    'GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n',
  ];
}

interface Mutation {
  kind: 'insert' | 'delete' | 'repeat' | 'flip' | 'cut';
  /** Where, as a part of the whole. */
  at: number;
  length: number;
  nasty: number;
}

const mutation = fc.record<Mutation>({
  kind: fc.constantFrom('insert', 'delete', 'repeat', 'flip', 'cut'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 40 }),
  nasty: fc.nat(NASTY.length - 1),
});

function mutate(text: string, { kind, at, length, nasty }: Mutation): string {
  const index = Math.floor(at * text.length);
  const [head, slice, tail] = [text.slice(0, index), text.slice(index, index + length), text.slice(index + length)];
  switch (kind) {
    case 'insert':
      return head + (NASTY[nasty] ?? '') + slice + tail;
    case 'delete':
      return head + tail;
    case 'repeat':
      return head + slice + slice + tail;
    case 'flip':
      return head + slice.replace(/^./s, (c) => String.fromCharCode(c.charCodeAt(0) ^ (1 << (length % 8)))) + tail;
    case 'cut':
      return head;
  }
}

/** Not implemented (an unknown method or coding), and another version of HTTP. */
const REFUSALS = [501, 505];

test('thousands of mutated requests are all answered or closed, none with 5xx, and the server still serves', async (t) => {
  const { port, as, app } = await startServer(t);
  const alice = as('alice');
  const bases = corpus(alice.token ?? '');
  const mutated = fc
    .tuple(fc.constantFrom(...bases), fc.array(mutation, { minLength: 1, maxLength: 4 }))
    .map(([base, mutations]) => mutations.reduce(mutate, base));
  const requests = fc.sample(mutated, { seed: SEED, numRuns: BATCHES * BATCH });

  for (let i = 0; i < requests.length; i += BATCH) {
    const batch = requests.slice(i, i + BATCH);
    const answers = await Promise.all(
      batch.map((request) => sendRaw(port, Buffer.from(request, 'latin1'), { isEnded: true, waitMs: 10_000 })),
    );
    for (const [n, { isClosed, statuses }] of answers.entries()) {
      const shown = JSON.stringify(batch[n]);
      assert.ok(isClosed, `left open by ${shown}`);
      assert.ok(
        statuses.every((status) => status < 500 || REFUSALS.includes(status)),
        `${statuses.join()} for ${shown}`,
      );
    }
  }

  assert.equal((await alice.get('/api/tasks')).status, 200);
  const { _id, Text } = await alice.create({ Text: 'Buy bread' });
  assert.equal(((await (await alice.get(`/api/tasks/${_id}`)).json()) as { Text: string }).Text, Text);
  await until(() => app.server.inflightRequests() === 0);
});
