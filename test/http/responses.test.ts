import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { expectProblem } from '../support/client.ts';
import { sendRaw } from '../support/raw.ts';
import { startServer } from '../support/server.ts';

test('every response names its request, and nothing names the software', async (t) => {
  const { as, anonymous } = await startServer(t);
  const alice = as('alice');
  const responses = [
    await anonymous.get('/'),
    await anonymous.get('/nothing'),
    await anonymous.get('/api/tasks'),
    await alice.get('/api/tasks'),
    await alice.post('/api/tasks', { Text: 'Buy milk' }),
    await alice.request('PATCH', '/api/tasks'),
  ];

  for (const { headers } of responses) {
    assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('cache-control'), 'private, no-cache');
    assert.equal(headers.get('server'), null);
    assert.equal(headers.get('x-powered-by'), null);
  }
  // The first depends on Accept, and on no token.
  for (const { headers } of responses.slice(1)) assert.equal(headers.get('vary'), 'Authorization, Accept-Encoding');
});

test('a well-formed X-Request-Id is kept, and stands in every log line of the request', async (t) => {
  const server = await startServer(t);

  const response = await server.as('alice').get('/api/tasks', { 'X-Request-Id': 'from-the-phone_1.2' });
  await response.arrayBuffer();

  assert.equal(response.headers.get('x-request-id'), 'from-the-phone_1.2');
  const handled = server.logs.filter((line) => line['requestId'] === 'from-the-phone_1.2').at(-1);
  const { method, route, status, ms, user, msg } = handled ?? {};
  assert.deepEqual(
    { method, route, status, user, msg },
    {
      method: 'GET',
      route: 'ListTasks',
      status: 200,
      user: 'alice',
      msg: 'handled',
    },
  );
  assert.equal(typeof ms, 'number');
});

for (const id of ['two words', 'a'.repeat(65), 'a/b', 'é']) {
  test(`an X-Request-Id that could do harm is replaced: ${JSON.stringify(id).slice(0, 20)}`, async (t) => {
    const { port } = await startServer(t);

    const { text } = await sendRaw(
      port,
      Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${id}\r\n\r\n`, 'latin1'),
    );

    assert.match(text, /^X-Request-Id: [0-9a-f-]{36}\r$/m);
  });
}

test('an unknown path is 404, a wrong method 405 with what is allowed', async (t) => {
  const { as, anonymous } = await startServer(t);

  await expectProblem(await anonymous.get('/api'), 404, 'ResourceNotFound');
  const wrong = await as('alice').patch('/api/tasks', {});
  await expectProblem(wrong, 405, 'MethodNotAllowed');
  assert.deepEqual(wrong.headers.get('allow')?.split(', ').sort(), ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST']);
});

const bodies: Record<
  string,
  [headers: Record<string, string>, body: string | Uint8Array<ArrayBuffer>, status: number, code: string]
> = {
  'too large a body': [
    { 'Content-Type': 'application/json' },
    `{"Text":"${'a'.repeat(65_536)}"}`,
    413,
    'PayloadTooLarge',
  ],
  'a body of another type': [{ 'Content-Type': 'text/csv' }, 'Text', 415, 'UnsupportedMediaType'],
  'a multipart form': [{ 'Content-Type': 'multipart/form-data; boundary=x' }, '--x--', 415, 'UnsupportedMediaType'],
  'a body in another charset': [
    { 'Content-Type': 'application/json; charset=utf-16' },
    '{}',
    415,
    'UnsupportedMediaType',
  ],
  'a compressed body': [
    { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
    '{}',
    415,
    'UnsupportedMediaType',
  ],
  'malformed JSON': [{ 'Content-Type': 'application/json' }, '{"Text": secret', 400, 'InvalidContent'],
  'JSON that is no object': [{ 'Content-Type': 'application/json' }, '["Buy milk"]', 400, 'InvalidContent'],
  'JSON nested without end': [{ 'Content-Type': 'application/json' }, '['.repeat(60_000), 400, 'InvalidContent'],
  'a body that is not UTF-8': [
    { 'Content-Type': 'application/json' },
    Buffer.from('{"Text":"caf\xe9"}', 'latin1'),
    400,
    'InvalidContent',
  ],
  'a form whose percent-encoding is not UTF-8': [
    { 'Content-Type': 'application/x-www-form-urlencoded' },
    'Text=caf%E9',
    400,
    'InvalidContent',
  ],
  'a form with half a surrogate pair': [
    { 'Content-Type': 'application/x-www-form-urlencoded' },
    'Text=%ED%A0%80',
    400,
    'InvalidContent',
  ],
  'another charset, whatever the spaces around it': [
    { 'Content-Type': 'application/json; charset = latin1' },
    '{"Text":"a"}',
    415,
    'UnsupportedMediaType',
  ],
  'two charsets': [
    { 'Content-Type': 'application/json; charset=utf-8; charset=latin1' },
    '{"Text":"a"}',
    415,
    'UnsupportedMediaType',
  ],
  'a form that gives a member twice': [
    { 'Content-Type': 'application/x-www-form-urlencoded' },
    'Text=secret&Text=b',
    400,
    'InvalidContent',
  ],
};
for (const [name, [headers, body, status, code]] of Object.entries(bodies)) {
  test(`${name} is ${status} ${code}, quotes nothing and stores nothing`, async (t) => {
    const alice = (await startServer(t)).as('alice');

    const problem = await expectProblem(await alice.post('/api/tasks', body, headers), status, code);

    assert.doesNotMatch(JSON.stringify(problem), /secret|Unexpected|position/);
    assert.deepEqual(await alice.list(), []);
  });
}

test('a second token in the body is 400, and stores nothing', async (t) => {
  const alice = (await startServer(t)).as('alice');

  const response = await alice.post('/api/tasks', { Text: 'Buy milk', access_token: alice.token });

  await expectProblem(response, 400, 'InvalidRequest');
  assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer realm="Users", error="invalid_request", /);
  assert.deepEqual(await alice.list(), []);
});

test('a DELETE of the account with a second token in its body is 400, and erases nothing', async (t) => {
  const alice = (await startServer(t)).as('alice');
  await alice.create({ Text: 'Buy milk' });

  await expectProblem(await alice.delete('/api/me', { access_token: 'x' }), 400, 'InvalidRequest');

  assert.equal((await alice.list()).length, 1);
});

test('a DELETE of one task with a second token in its body is 400, and deletes nothing', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const { _id } = await alice.create({ Text: 'Buy milk' });

  for (const path of [`/api/tasks/${_id}`, `/api/tasks/me/${_id}`]) {
    await expectProblem(await alice.delete(path, { access_token: 'x' }), 400, 'InvalidRequest');
  }

  assert.equal((await alice.list()).length, 1);
});

test('a DELETE that lost its body on the way, or holds a fragment, deletes nothing', async (t) => {
  const { port, as } = await startServer(t);
  const alice = as('alice');
  await alice.create({ Text: 'Buy milk' });
  const send = async (target: string, headers: string, body = ''): Promise<number[]> => {
    const head = `DELETE ${target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${alice.token ?? ''}\r\n${headers}\r\n`;
    return (await sendRaw(port, head + body, { isEnded: true })).statuses;
  };

  assert.deepEqual(await send('/api/tasks', 'Content-Type: application/json\r\n'), [409]);
  assert.deepEqual(await send('/api/tasks', 'Transfer-Encoding: chunked\r\n', '0\r\n\r\n'), [409]);
  assert.deepEqual(await send('/api/tasks', 'Content-Encoding: gzip\r\n'), [409]);
  assert.deepEqual(await send('/api/tasks#x', ''), [400]);
  assert.deepEqual(await send('/api/tasks/me#x', ''), [400]);
  assert.equal((await alice.list()).length, 1);
});

test('what /api/tasks/changes does not answer is 405 with what it does', async (t) => {
  const alice = (await startServer(t)).as('alice');

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const response = await alice.request(method, '/api/tasks/changes');
    await expectProblem(response, 405, 'MethodNotAllowed');
    assert.deepEqual(response.headers.get('allow')?.split(', ').sort(), ['GET', 'HEAD', 'OPTIONS'], method);
  }
});

test('a body without a Content-Type is 415', async (t) => {
  const { port, as } = await startServer(t);
  const head = `POST /api/tasks HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${as('alice').token ?? ''}\r\n`;

  const { text } = await sendRaw(port, `${head}Content-Length: 2\r\n\r\n{}`);

  assert.match(text, /^HTTP\/1\.1 415 /);
});

test('an oversized body is refused before it is sent, and 100 comes only when it is wanted', async (t) => {
  const { port, as } = await startServer(t);
  const head = `POST /api/tasks HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\n`;
  const token = `Authorization: Bearer ${as('alice').token ?? ''}\r\n`;

  const tooLarge = await sendRaw(port, `${head}${token}Content-Length: 70000\r\n\r\n`);
  const unknown = await sendRaw(port, `${head}Content-Length: 20\r\n\r\n`);
  const wanted = await sendRaw(port, `${head}${token}Content-Length: 15\r\n\r\n{"Text":"milk"}`);

  assert.deepEqual([tooLarge.statuses, unknown.statuses, wanted.statuses], [[413], [401], [100, 201]]);
});

test('a chunked body without end is refused as soon as it is too large', async (t) => {
  const { port, as } = await startServer(t);
  const head = `POST /api/tasks HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${as('alice').token ?? ''}\r\n`;

  const { statuses, isClosed } = await sendRaw(
    port,
    `${head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n${'a'.repeat(70_000)}\r\n`,
  );

  assert.deepEqual([statuses, isClosed], [[413], true]);
});

const accepted = [
  '*/*',
  'application/json',
  'application/*;q=0.1',
  'text/html, */*; q=.2',
  'application/json;version=2',
  'application/problem+json',
  'text/html, application/problem+json;q=0.5',
  '',
];
const excluded = ['text/html', 'application/json;q=0', 'application/json;q=0, */*;q=1', 'application/xml'];
test('Accept decides before anything is done', async (t) => {
  const { as, anonymous } = await startServer(t);
  const alice = as('alice');

  for (const accept of accepted) assert.equal((await alice.get('/api/tasks', { Accept: accept })).status, 200, accept);
  for (const accept of excluded) {
    await expectProblem(await alice.post('/api/tasks', { Text: 'Buy milk' }, { Accept: accept }), 406, 'NotAcceptable');
  }
  assert.deepEqual(await alice.list(), []);
  assert.equal((await anonymous.get('/metrics', { Accept: 'text/plain' })).status, 200);
  assert.equal((await anonymous.get('/docs', { Accept: 'text/html' })).status, 200);
});

test('what a browser and a client get at / differs, and caches are told', async (t) => {
  const { url } = await startServer(t);
  const get = (headers: Record<string, string>) => fetch(`${url}/`, { redirect: 'manual', headers });

  const list = await get({ Accept: 'application/json' });
  const known = await get({ Accept: 'application/json', 'If-None-Match': list.headers.get('etag') ?? '' });
  const page = await get({ Accept: 'text/html' });

  assert.deepEqual([list.status, known.status, page.status], [200, 304, 303]);
  for (const { headers } of [list, known, page]) assert.equal(headers.get('vary'), 'Accept, Accept-Encoding, Origin');
});

test('a gzip body has a tag of its own, and either tag is a condition', async (t) => {
  const { port, as } = await startServer(t);
  const alice = as('alice');
  const { _id } = await alice.create({ Text: 'Buy milk' });
  const path = `/api/tasks/${_id}`;
  const plain = (await alice.get(path)).headers.get('etag') ?? '';
  const gzipTag = `${plain.slice(0, -1)}-gzip"`;

  const response = await alice.get(path, { 'Accept-Encoding': 'gzip' });
  const notModified = await alice.get(path, { 'If-None-Match': gzipTag });
  const changed = await alice.patch(path, { completed: true }, { 'If-Match': gzipTag });

  assert.equal(response.headers.get('content-encoding'), 'gzip');
  assert.equal(response.headers.get('etag'), gzipTag);
  assert.equal(((await response.json()) as { _id: string })._id, _id);
  assert.equal(notModified.status, 304);
  assert.equal(notModified.headers.get('etag'), plain);
  assert.equal(changed.status, 200);
  const raw = await sendRaw(
    port,
    `GET ${path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\nAuthorization: Bearer ${alice.token ?? ''}\r\n\r\n`,
  );
  const body = Buffer.from(raw.text.slice(raw.text.indexOf('\r\n\r\n') + 4), 'latin1');
  assert.match(gunzipSync(body).toString(), /"Text":"Buy milk"/);
});

test('HEAD answers as GET does, without the body', async (t) => {
  const alice = (await startServer(t)).as('alice');
  await alice.create({ Text: 'Buy milk' });

  for (const path of ['/', '/healthz', '/api/tasks', '/hello', '/openapi.json', '/docs']) {
    const get = await alice.get(path);
    const head = await alice.request('HEAD', path);
    assert.equal(head.status, get.status, path);
    for (const name of ['content-type', 'content-length', 'etag', 'cache-control']) {
      assert.equal(head.headers.get(name), get.headers.get(name), `${path} ${name}`);
    }
    assert.equal(await head.text(), '');
  }
});

test('a form or a query with more pairs than anybody needs is refused before it is read', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const many = 'a&'.repeat(30_000);
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

  await expectProblem(await alice.get(`/api/tasks?${many}`), 400, 'InvalidQuery', /1000 parameters/);
  await expectProblem(await alice.post('/api/tasks', `Text=x&${many}`, form), 400, 'InvalidContent', /1000 members/);
});

test('a member of a form that nobody knows may be repeated, one that counts may not', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

  const checkbox = await alice.post('/api/tasks', 'Text=a&Completed=true&Completed=false', form);
  await expectProblem(await alice.post('/api/tasks', 'Text=a&Text=a', form), 400, 'InvalidContent', /"Text"/);
  await expectProblem(await alice.post('/api/tasks', 'Text=a&notes=b&notes=c', form), 400, 'InvalidContent', /"notes"/);

  assert.equal(checkbox.status, 201);
  assert.equal((await alice.list()).length, 1);
});
