/** The API document against the running server: what is mounted, and what is really answered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../support/server.ts';
import { assertDocumented, documentFor, operations } from './document.ts';

const ID = '6742d0c4e1a2b3c4d5e6f708';

test('the document has every route that GET / lists, and no other', async (t) => {
  const { anonymous } = await startServer(t);

  const listed = (await (await anonymous.get('/')).json()) as string[];
  // HEAD goes without saying: every GET has one, and generated clients are better off without.
  const documented = operations().flatMap(({ method, path }) =>
    method === 'get' ? [`GET ${path}`, `HEAD ${path}`] : [`${method.toUpperCase()} ${path}`],
  );

  assert.deepEqual(shapes(listed), shapes(documented));
});

test('GET / lists every route that is mounted, as a reader would write it', async (t) => {
  const { anonymous, app } = await startServer(t);

  const listed = (await (await anonymous.get('/')).json()) as string[];

  const mounted = Object.values(app.server.router.getRoutes() as object) as { method: string; path: string }[];
  assert.equal(listed.length, mounted.filter(({ method }) => method !== 'OPTIONS').length);
  for (const line of ['GET /', 'HEAD /readyz', 'GET /api/tasks/:id', 'GET /api/tasks/:owner', 'DELETE /tasks']) {
    assert.ok(listed.includes(line), line);
  }
  for (const line of listed) assert.match(line, /^(GET|HEAD|POST|PUT|PATCH|DELETE) \/[^()]*$/);
});

test('the server answers as the document says', async (t) => {
  const { as, anonymous } = await startServer(t, { env: { THROTTLE_RATE: '1000', THROTTLE_BURST: '1000' } });
  const alice = as('alice');
  const one = `/api/tasks/${ID}`;
  const stale = { 'If-Match': '"stale"' };
  const key = { 'Idempotency-Key': 'one key' };

  await assertDocumented('ListTasks', await anonymous.get('/api/tasks'));
  await assertDocumented('ListTasks', await alice.get('/api/tasks?limit=0'));
  await assertDocumented('ListTasks', await alice.get('/api/tasks', { Accept: 'text/html' }));
  await assertDocumented(
    'CreateTask',
    await alice.post('/api/tasks', { Text: 'Buy milk' }, { 'Idempotency-Key': 'a' }),
  );
  await assertDocumented(
    'CreateTask',
    await alice.post('/api/tasks', { Text: 'Buy oats' }, { 'Idempotency-Key': 'a' }),
  );
  await assertDocumented('CreateTask', await alice.post('/api/tasks', { Text: 'Buy oats' }, key));
  await assertDocumented('CreateTask', await alice.post('/api/tasks', { Text: ' ' }));
  await assertDocumented('CreateTask', await alice.post('/api/tasks', { Text: 'x', completed: 1 }));
  await assertDocumented('CreateTask', await alice.post('/api/tasks', 'Text', { 'Content-Type': 'text/plain' }));
  await assertDocumented('CreateTask', await alice.post('/api/tasks', { Text: 'x'.repeat(70_000) }));
  await assertDocumented('ReplaceTask', await alice.put(one, { Text: 'Buy bread' }));
  await assertDocumented('ReplaceTask', await alice.put(one, { Text: 'Buy bread', completed: true }));
  await assertDocumented('ReplaceTask', await as('bob').put(one, { Text: 'Buy bread' }));
  await assertDocumented('UpdateOwnTasks', await alice.put('/api/tasks/me', { Text: 'Buy bread', completed: false }));
  await assertDocumented('PatchTask', await alice.patch(one, { completed: true }));
  await assertDocumented('PatchTask', await alice.patch(one, { completed: false }, stale));
  const task = await alice.get(one);
  await assertDocumented('GetTask', task.clone());
  await assertDocumented('GetTask', await alice.get(one, { 'If-None-Match': task.headers.get('etag') ?? '' }));
  await assertDocumented('GetTask', await as('bob').get(one));
  await assertDocumented('ListOwnTasks', await alice.get('/api/tasks/me?limit=1'));
  await assertDocumented('HeadTask', await alice.request('HEAD', one));
  await assertDocumented('ListTasks', await alice.get('/api/tasks?limit=1'));
  await assertDocumented('HeadTasks', await alice.request('HEAD', '/api/tasks'));
  await assertDocumented('ListChanges', await alice.get('/api/tasks/changes'));
  await assertDocumented('ListChanges', await alice.get('/api/tasks/changes?since=rubbish'));
  await assertDocumented('DeleteTask', await alice.delete(one, undefined, stale));
  await assertDocumented('DeleteTask', await alice.delete(one));
  await assertDocumented('DeleteTask', await alice.delete(one));
  await assertDocumented('CreateNamedTask', await alice.post('/api/tasks/me/Buy%20tea'));
  await assertDocumented('DeleteNamedTask', await alice.delete('/api/tasks/me/Buy%20tea'));
  await assertDocumented('DeleteNamedTask', await alice.delete('/api/tasks/me/Buy%20tea'));
  await assertDocumented('DeleteTasks', await alice.delete('/api/tasks?Text=Buy%20oats'));
  await assertDocumented('DeleteTasks', await alice.delete('/api/tasks', {}));
  await assertDocumented('DeleteTasks', await alice.delete('/api/tasks'));
  await assertDocumented('DeleteTasks', await alice.delete('/api/tasks?all=true'));
  await assertDocumented('FirstClientsCreateTask', await alice.post('/tasks', { task: 'Buy milk' }));
  await assertDocumented('FirstClientsListTasks', await alice.get('/tasks'));
  await assertDocumented('FirstClientsListTasks', await anonymous.get('/tasks'));
  await assertDocumented('FirstClientsDeleteTasks', await alice.delete('/tasks', { task: 'Buy milk' }));
  await assertDocumented('FirstClientsDeleteTasks', await alice.delete('/tasks'));
  await assertDocumented('GetHello', await alice.get('/hello'));
  await assertDocumented('GetHello', await alice.get('/hello', { Authorization: 'Bearer' }));
});

test('a throttled request is answered as the document says', async (t) => {
  const { as } = await startServer(t, { env: { THROTTLE_RATE: '0.001', THROTTLE_BURST: '1' } });
  const alice = as('alice');

  await assertDocumented('GetHello', await alice.get('/hello'));
  const refused = await alice.get('/hello');

  assert.equal(refused.status, 429);
  const retryAfter = Number(refused.headers.get('retry-after'));
  assert.ok(retryAfter >= 1000 && retryAfter <= 1030, `${retryAfter}`);
  await assertDocumented('GetHello', refused);
});

test('the static routes answer as the document says, without a token and unthrottled', async (t) => {
  const { anonymous, tenant } = await startServer(t, { env: { THROTTLE_RATE: '0.001', THROTTLE_BURST: '1' } });
  const statics = operations().filter(({ operation }) => 'security' in operation);

  for (const { operation, method, path } of statics) {
    const filled = path.replace('{fingerprint}', 'any').replace('{file}', 'main.js');
    const response = await anonymous.request(method.toUpperCase(), filled);
    assert.equal(response.status, 200, path);
    await assertDocumented(operation.operationId, response);
  }
  assert.equal(statics.length, 7);
  assert.deepEqual(await (await anonymous.get('/openapi.json')).json(), documentFor(tenant.env));
});

/** Methods and paths with all parameters alike; in the document `me` stands for the owner. */
function shapes(routes: string[]): string[] {
  return [...new Set(routes.map((route) => route.replace(':owner', 'me').replace(/\{\w+\}|:\w+/g, '{}')))].sort();
}
