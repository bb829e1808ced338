/** POST /api/batch: many operations in one trip, each answered as if it had been sent alone. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Client, expectProblem, type TaskJson } from '../support/client.ts';
import { testDatabase } from '../support/database.ts';
import { startServer } from '../support/server.ts';
import { proxyStore } from '../support/tcpProxy.ts';
import { until } from '../support/until.ts';

const ID = '6742d0c4e1a2b3c4d5e6f708';

interface OperationJson {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: object;
}

interface ResultJson {
  status: number;
  headers: Record<string, string>;
  body: Record<string, unknown> | null;
}

async function send(client: Client, operations: OperationJson[]): Promise<ResultJson[]> {
  const response = await client.post('/api/batch', { operations });
  assert.equal(response.status, 200, await response.clone().text());
  return ((await response.json()) as { results: ResultJson[] }).results;
}

const codes = (results: ResultJson[]): unknown[] => results.map(({ status, body }) => body?.['code'] ?? status);

test('a batch does what it names, in order, whatever became of those before', async (t) => {
  const alice = (await startServer(t)).as('alice');

  const results = await send(alice, [
    { method: 'PUT', path: `/api/tasks/${ID}`, headers: { 'If-None-Match': '*' }, body: { Text: 'Buy milk' } },
    { method: 'PUT', path: `/api/tasks/${ID}`, headers: { 'if-none-match': '*' }, body: { Text: 'Buy bread' } },
    { method: 'PATCH', path: `/api/tasks/${ID}`, body: { completed: true } },
    { method: 'POST', path: '/api/tasks', body: { title: 'no text' } },
    { method: 'GET', path: '/api/tasks?completed=true' },
    { method: 'HEAD', path: '/api/tasks' },
    { method: 'GET', path: '/api/tasks/nobody' },
    { method: 'POST', path: `/api/tasks/${ID}`, body: {} },
    { method: 'DELETE', path: '/api/tasks/' },
    { method: 'DELETE', path: `/api/tasks/${ID}` },
  ]);

  assert.deepEqual(codes(results), [
    ...[
      201,
      'PreconditionFailed',
      200,
      'MissingTask',
      200,
      200,
      'TaskNotFound',
      'MethodNotAllowed',
      'MissingTask',
      204,
    ],
  ]);
  const [created, refused, done, , listed, head, , wrong] = results;
  assert.equal(created?.headers['Location'], `../../api/tasks/${ID}`);
  assert.equal(refused?.headers['ETag'], created.headers['ETag']);
  assert.deepEqual(listed?.body, [done?.body]);
  assert.equal(head?.body, null);
  assert.match(wrong?.headers['Allow'] ?? '', /^GET, HEAD, PUT/);
  assert.deepEqual(results[9], { status: 204, headers: {}, body: null });
  assert.deepEqual(await alice.list(), []);
});

test('a batch that is malformed is refused by the name of its operation, and nothing is done', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const good = { method: 'POST', path: '/api/tasks', body: { Text: 'Buy milk' } };
  const bad: [unknown, RegExp][] = [
    [undefined, /^operations must be/],
    [[], /^operations must be/],
    [Array.from({ length: 51 }, () => good), /^operations must be/],
    [[good, null], /^operations\[1\] must be an object/],
    [[good, { ...good, method: 'OPTIONS' }], /^operations\[1\]\.method/],
    [[good, { path: good.path }], /^operations\[1\]\.method/],
    [[good, { ...good, path: '/api/batch' }], /^operations\[1\]\.path/],
    [[good, { ...good, path: '/hello' }], /^operations\[1\]\.path/],
    [[good, { ...good, path: '/api/tasksx' }], /^operations\[1\]\.path/],
    [[good, { ...good, path: 'https://example.test/api/tasks' }], /^operations\[1\]\.path/],
    [[good, { ...good, path: '/api/tasks#x' }], /^operations\[1\]\.path/],
    [[good, { ...good, path: '/api/tasks/me/Buy milk' }], /^operations\[1\]\.path/],
    [[good, { ...good, headers: [] }], /^operations\[1\]\.headers/],
    [[good, { ...good, headers: { Authorization: 'Bearer x' } }], /^operations\[1\]\.headers/],
    [[good, { ...good, headers: { 'If-Match': 5 } }], /^operations\[1\]\.headers/],
    [[good, { ...good, headers: { 'If-Match': '*\r\nX: y' } }], /^operations\[1\]\.headers/],
    [[good, { ...good, headers: { 'If-Match': '*', 'if-match': '"a"' } }], /^operations\[1\]\.headers/],
  ];

  for (const [operations, detail] of bad) {
    await expectProblem(await alice.post('/api/batch', { operations }), 400, 'InvalidBatch', detail);
  }
  await expectProblem(await alice.post('/api/batch', { operations: 'x'.repeat(262_145) }), 413, 'PayloadTooLarge');
  await expectProblem(await alice.get('/api/batch'), 405, 'MethodNotAllowed');
  assert.deepEqual(await alice.list(), []);
});

test('a body that alone would be too large is too large in a batch', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const body = { Text: 'Buy milk', filler: 'x'.repeat(65_536) };

  const results = await send(alice, [
    { method: 'POST', path: '/api/tasks', body },
    { method: 'POST', path: '/api/tasks', body: ['Buy milk'] },
    { method: 'POST', path: '/api/tasks', body: { Text: 'Buy bread' } },
  ]);

  assert.deepEqual(codes(results), ['PayloadTooLarge', 'InvalidContent', 201]);
});

test('a member that is ignored may nest as deeply in a batch as alone', async (t) => {
  const server = await startServer(t);
  const alice = server.as('alice');
  const body = `{"Text":"Buy milk","ignored":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
  const json = { 'Content-Type': 'application/json' };

  const alone = await alice.post('/api/tasks', body, json);
  const batch = await alice.post(
    '/api/batch',
    `{"operations":[{"method":"POST","path":"/api/tasks","body":${body}}]}`,
    json,
  );

  assert.equal(alone.status, 201);
  assert.deepEqual(codes(((await batch.json()) as { results: ResultJson[] }).results), [201]);
  assert.deepEqual(
    server.logs.filter(({ msg }) => msg === 'failed'),
    [],
  );
});

test('a token in the body of an operation is refused as it is alone', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const body = { Text: 'Buy milk', access_token: 'eyJ' };

  const alone = await alice.post('/api/tasks', body);
  const results = await send(alice, [
    { method: 'POST', path: '/api/tasks', body },
    { method: 'PATCH', path: '/api/tasks/6742d0c4e1a2b3c4d5e6f708', body },
    { method: 'POST', path: '/api/tasks', body: { Text: 'Buy bread' } },
  ]);

  await expectProblem(alone, 400, 'InvalidRequest');
  assert.deepEqual(codes(results), ['InvalidRequest', 'InvalidRequest', 201]);
  assert.equal(results[0]?.headers['WWW-Authenticate'], alone.headers.get('www-authenticate'));
  assert.equal((await alice.list()).length, 1);
});

test('a token in the query of an operation is refused as it is alone, and nothing is done', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const { _id } = await alice.create({ Text: 'Buy milk' });

  const alone = await alice.delete(`/api/tasks/${_id}?access_token=eyJ`);
  const results = await send(alice, [
    { method: 'DELETE', path: `/api/tasks/${_id}?access_token=eyJ` },
    { method: 'POST', path: '/api/tasks?%61ccess_token', body: { Text: 'Buy bread' } },
    { method: 'GET', path: '/api/tasks?access_token=eyJ' },
  ]);

  await expectProblem(alone, 400, 'InvalidRequest');
  assert.deepEqual(codes(results), ['InvalidRequest', 'InvalidRequest', 'InvalidRequest']);
  assert.equal(results[0]?.headers['WWW-Authenticate'], alone.headers.get('www-authenticate'));
  assert.deepEqual(
    (await alice.list()).map(({ Text }) => Text),
    ['Buy milk'],
  );
});

test('each operation asks for the scope that it needs', async (t) => {
  const { as } = await startServer(t, { env: { B2C_READ_SCOPE: 'tasks.read', B2C_WRITE_SCOPE: 'tasks.write' } });
  const operations = [
    { method: 'GET', path: '/api/tasks' },
    { method: 'POST', path: '/api/tasks', body: { Text: 'Buy milk' } },
  ];

  const reader = await send(as('alice', { scp: 'tasks.read' }), operations);
  const writer = await send(as('alice', { scp: 'tasks.write' }), operations);

  assert.deepEqual(codes(reader), [200, 'InsufficientScope']);
  assert.match(reader[1]?.headers['WWW-Authenticate'] ?? '', /insufficient_scope/);
  assert.deepEqual(codes(writer), ['InsufficientScope', 201]);
});

test('ten operations cost one request, and what the share does not pay for is not done', async (t) => {
  const { as } = await startServer(t, { env: { THROTTLE_RATE: '0.001', THROTTLE_BURST: '3' } });
  const operations = Array.from({ length: 40 }, (_, i) => ({
    method: 'POST',
    path: '/api/tasks',
    headers: { 'Idempotency-Key': `key-${i}` },
    body: { Text: `Task ${i}` },
  }));

  const results = await send(as('alice'), operations);

  assert.deepEqual(codes(results), [...Array<number>(30).fill(201), ...Array<string>(10).fill('NotDone')]);
  assert.ok(Number(results[39]?.headers['Retry-After']) > 1);
  await expectProblem(await as('alice').get('/api/tasks'), 429, 'TooManyRequests');
});

test('a whole outbox may be sent again when its answer was lost', async (t) => {
  const alice = (await startServer(t)).as('alice');
  const operations = [
    { method: 'POST', path: '/api/tasks', headers: { 'Idempotency-Key': 'a' }, body: { Text: 'Buy milk' } },
    { method: 'PUT', path: `/api/tasks/${ID}`, body: { Text: 'Buy bread' } },
    { method: 'PATCH', path: `/api/tasks/${ID}`, body: { completed: true } },
    { method: 'DELETE', path: '/api/tasks/me/Buy%20eggs' },
  ];

  await send(alice, operations);
  const once = await alice.list();
  await send(alice, operations);

  const shape = (tasks: TaskJson[]) => tasks.map(({ _id, Text, createdAt }) => ({ _id, Text, createdAt }));
  assert.deepEqual(shape(await alice.list()), shape(once));
  assert.equal(once.length, 2);
});

test('answers of a batch end at 1 MB; what follows is not done', async (t) => {
  const alice = (await startServer(t)).as('alice');
  for (let i = 0; i < 40; i += 1) await alice.create({ Text: 'x'.repeat(4_096) });
  const list = { method: 'GET', path: '/api/tasks?limit=100' };

  const results = await send(alice, [list, list, list, list, { method: 'DELETE', path: '/api/tasks?all=true' }]);

  assert.equal(results[0]?.status, 200);
  assert.equal(results[4]?.body?.['code'], 'NotDone');
  assert.equal((await alice.list()).length, 40);
});

test('the 1 MB of a batch is counted in bytes', async (t) => {
  const alice = (await startServer(t)).as('alice');
  for (let i = 0; i < 40; i += 1) await alice.create({ Text: '\u20ac'.repeat(4_096) });
  const list = { method: 'GET', path: '/api/tasks?limit=100' };

  const results = await send(alice, [list, list, list]);

  assert.deepEqual(codes(results).slice(1), [200, 'NotDone']);
});

test('what is not begun when the time of a batch is over is not done, and is done when it is sent again', async (t) => {
  const { as, uri, tenant } = await startServer(t);
  const hurried = await startServer(t, { uri, tenant, limits: { batchMs: 0 } });
  const put = { method: 'PUT', path: `/api/tasks/${ID}`, body: { Text: 'Buy milk' } };

  const results = await send(hurried.as('alice'), [put, put]);

  assert.deepEqual(codes(results), ['NotDone', 'NotDone']);
  assert.deepEqual(await as('alice').list(), []);
  assert.deepEqual(codes(await send(as('alice'), [put])), [201]);
});

test('when the store goes away in the middle, what is said to be done is done, and the rest is not begun', async (t) => {
  const proxy = await proxyStore(t, (await testDatabase(t, { isPatient: false })).uri);
  const { as } = await startServer(t, { uri: proxy.uri, storeMs: 2_500 });
  const alice = as('alice');
  await alice.list();
  const put = (i: number) => ({
    method: 'PUT',
    path: `/api/tasks/${ID.slice(0, -1)}${i}`,
    body: { Text: `Task ${i}` },
  });

  proxy.stall();
  const results = await send(alice, [put(0), put(1), put(2)]);
  await proxy.resume();

  assert.deepEqual(codes(results), ['StoreUnavailable', 'NotDone', 'NotDone']);
  assert.deepEqual(codes(await send(alice, [put(0), put(1)])).map(Number), [201, 201]);
  assert.equal((await alice.list()).length, 2);
});

const outbox = Array.from({ length: 50 }, (_, i) => ({
  method: 'POST',
  path: '/api/tasks',
  headers: { 'Idempotency-Key': `edit-${i}` },
  body: { Text: `Task ${i}` },
}));

test('a batch that is under way when the server is told to stop is done and answered', async (t) => {
  const { as, app, connection } = await startServer(t);
  const alice = as('alice');

  const sending = send(alice, outbox);
  await until(async () => (await connection.collection('tasks').findOne({ owner: 'alice' })) !== null);
  const [results] = await Promise.all([sending, app.connections.drain(60_000)]);

  assert.deepEqual(codes(results), Array<number>(50).fill(201));
});

test('what a client that left in the middle had sent may be sent again, and is done once', async (t) => {
  const { as, port, connection } = await startServer(t);
  const alice = as('alice');
  const body = JSON.stringify({ operations: outbox });
  const head = `POST /api/batch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${alice.token ?? ''}\r\n`;
  const socket = connect(port, '127.0.0.1');

  socket.write(`${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await until(async () => (await connection.collection('tasks').findOne({ owner: 'alice' })) !== null);
  socket.destroy();
  const results = await send(alice, outbox);

  assert.deepEqual(codes(results), Array<number>(50).fill(201));
  const tasks = await alice.list();
  assert.deepEqual(tasks.map(({ Text }) => Text).sort(), outbox.map(({ body }) => body.Text).sort());
});

const ids = ['a', 'b', 'c'].map((digit) => digit.repeat(24));
const body = fc.record(
  {
    Text: fc.constantFrom('Buy milk', 'Buy bread', '', 5 as unknown),
    completed: fc.constantFrom(true, false, null, 'yes' as unknown),
    due: fc.constantFrom('2026-11-24', '2026-11-24T09:00:00Z', null, 'soon'),
    importance: fc.constantFrom('high', 'urgent'),
  },
  { requiredKeys: [] },
);
const operation = fc.record(
  {
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'),
    path: fc.oneof(
      fc.constantFrom(
        '/api/tasks',
        '/api/tasks?all=true',
        '/api/tasks/',
        '/api/tasks/me',
        '/api/tasks/changes?limit=0',
      ),
      fc.constantFrom(
        '/api/tasks/me/Buy%20milk',
        '/api/tasks?Text=Buy+bread',
        '/api/tasks?sort=-date&limit=1',
        '/api//tasks/x',
      ),
      fc.constantFrom(...ids.map((id) => `/api/tasks/${id}`)),
    ),
    headers: fc.constantFrom(
      {},
      { 'If-None-Match': '*' },
      { 'If-Match': '*' },
      { 'If-Match': 'x' },
      { 'Idempotency-Key': 'k' },
    ),
    body,
  },
  { requiredKeys: ['method', 'path'] },
);

/** What differs from run to run by nature: times and random ids. */
function comparable(value: unknown, known: string[] = []): string {
  return JSON.stringify(value)
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (time) =>
      time.startsWith('2026-11-24T0') ? time : '<time>',
    )
    .replaceAll(/"requestId":"[^"]*"/g, '')
    .replaceAll(/[0-9a-f]{24}/g, (id) =>
      ids.includes(id) ? id : `<${known.includes(id) ? known.indexOf(id) : known.push(id) - 1}>`,
    )
    .replaceAll(/"ETag":"[^<][^,}]*"/g, '"ETag":"<hash>"')
    .replaceAll(/cursor=[\w-]+/g, 'cursor=<cursor>');
}

async function alone(client: Client, { method, path, headers, body }: OperationJson): Promise<ResultJson> {
  const takesBody = method !== 'GET' && method !== 'HEAD';
  const response = await client.request(method, path, {
    ...(headers && { headers }),
    ...(takesBody && body !== undefined && { body }),
  });
  const told = ['Content-Type', 'ETag', 'Location', 'Link', 'Allow'];
  const text = await response.text();
  return {
    status: response.status,
    headers: Object.fromEntries(
      told
        .flatMap((name) => (text !== '' || name !== 'Content-Type' ? [[name, response.headers.get(name)]] : []))
        .filter(([, value]) => value !== null),
    ) as Record<string, string>,
    body: text === '' ? null : (JSON.parse(text) as ResultJson['body']),
  };
}

test('a batch equals its operations sent alone, in its answers and in what is stored', async (t) => {
  const { as } = await startServer(t);
  let users = 0;

  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 12 }), async (operations) => {
      users += 1;
      const [one, many] = [as(`one-${users}`), as(`many-${users}`)];
      // Ids are unique over all owners, so each side has its own.
      const mine = operations as OperationJson[];
      const singly: ResultJson[] = [];
      for (const each of mine.map(withIdsOf(2 * users))) singly.push(await alone(one, each));
      const left = await one.list('?limit=100&sort=createdAt');
      await one.delete('/api/tasks?all=true');
      const batched = (await send(many, mine.map(withIdsOf(2 * users + 1)))).map(({ headers, ...rest }, i) => ({
        ...rest,
        headers: Object.fromEntries(
          Object.entries(headers).filter(([name]) => name !== 'Content-Type' || singly[i]?.body !== null),
        ),
      }));

      assert.equal(plain(batched, 2 * users + 1), plain(singly, 2 * users));
      assert.equal(plain(await many.list('?limit=100&sort=createdAt'), 2 * users + 1), plain(left, 2 * users));
    }),
    { numRuns: 30 },
  );
});

/** The same three ids, but of this user alone. */
function withIdsOf(user: number): (operation: OperationJson) => OperationJson {
  return (operation) => ({ ...operation, path: operation.path.replace(/[abc]{24}/, (id) => idOf(id, user)) });
}

function idOf(id: string, user: number): string {
  return user.toString(16).padStart(4, '0') + id.slice(4);
}

function plain(value: unknown, user: number): string {
  const text = ids.reduce((all, id) => all.replaceAll(idOf(id, user), id), JSON.stringify(value));
  const sorted = JSON.parse(text) as unknown;
  return comparable(sortedMembers(sorted));
}

function sortedMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedMembers);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, one]) => [name, sortedMembers(one)]));
}
