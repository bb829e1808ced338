import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ABSENT, expectProblem, type TaskJson } from '../support/client.ts';
import { movableClock } from '../support/clock.ts';
import { startServer } from '../support/server.ts';

const START = Date.parse('2026-11-23T09:00:00Z');
const ID = '6742d0c4e1a2b3c4d5e6f708';
const MINUTE_MS = 60_000;

async function taskIn(response: Response, status = 200): Promise<TaskJson> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  return JSON.parse(text) as TaskJson;
}

test('POST creates a task and says where it is', async (t) => {
  const server = await startServer(t, { clock: movableClock(START) });
  const alice = server.as('alice');

  const response = await alice.post('/api/tasks', { Text: 'Buy milk', date: '2026-11-24T10:00:00+01:00' });

  const task = await taskIn(response, 201);
  assert.match(task._id, /^[0-9a-f]{24}$/);
  assert.deepEqual(task, {
    _id: task._id,
    Text: 'Buy milk',
    task: 'Buy milk',
    completed: false,
    date: '2026-11-24T09:00:00.000Z',
    due: '2026-11-24T09:00:00.000Z',
    completedAt: null,
    ...ABSENT,
    createdAt: '2026-11-23T09:00:00.000Z',
    updatedAt: '2026-11-23T09:00:00.000Z',
  });
  const location = new URL(response.headers.get('location') ?? '', response.url);
  assert.equal(location.pathname, `/api/tasks/${task._id}`);
  const read = await alice.get(location.pathname);
  assert.equal(read.headers.get('etag'), response.headers.get('etag'));
  assert.deepEqual(await taskIn(read), task);
});

test('POST takes a form as the .NET clients send it, a slash at the end of the path included', async (t) => {
  const { as } = await startServer(t);
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };

  const response = await as('alice').post('/api/tasks/', 'Text=Buy+milk&completed=true', headers);

  const task = await taskIn(response, 201);
  assert.equal(task.Text, 'Buy milk');
  assert.equal(task.completedAt, task.createdAt);
  assert.equal(new URL(response.headers.get('location') ?? '', response.url).pathname, `/api/tasks/${task._id}`);
});

test('a body that is no task is refused by name, and nothing is stored', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');

  await expectProblem(await alice.post('/api/tasks'), 409, 'MissingTask', '"task" is a required parameter');
  await expectProblem(await alice.post('/api/tasks', { Text: ' ' }), 409, 'MissingTask');
  await expectProblem(
    await alice.post('/api/tasks', { Text: 'a', task: 'b' }),
    400,
    'InvalidTask',
    /"Text" and "task"/,
  );
  await expectProblem(
    await alice.post('/api/tasks', { Text: 'a', completed: 'yes' }),
    400,
    'InvalidTask',
    /"completed"/,
  );
  await expectProblem(await alice.post('/api/tasks', { Text: 'a', date: '2026-02-30' }), 400, 'InvalidTask', /"date"/);
  await expectProblem(await alice.post('/api/tasks', { Text: 'a'.repeat(4097) }), 400, 'InvalidTask', /"Text"/);
  await expectProblem(await alice.post('/api/tasks', { Text: { $gt: '' } }), 400, 'InvalidTask', /"Text"/);

  assert.deepEqual(await alice.list(), []);
});

test('a list is 20 tasks, the oldest date first', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  for (let day = 25; day >= 1; day -= 1) {
    await alice.create({ Text: `Day ${day}`, date: `2026-12-${String(day).padStart(2, '0')}` });
  }

  const response = await alice.get('/api/tasks');

  const tasks = (await response.json()) as TaskJson[];
  assert.deepEqual(
    tasks.map(({ Text }) => Text),
    Array.from({ length: 20 }, (_, i) => `Day ${i + 1}`),
  );
  assert.match(response.headers.get('etag') ?? '', /^"[\w-]+"$/);
});

test('the list has two more names: me and the caller’s oid', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const { _id } = await alice.create({ Text: 'Buy milk' });

  for (const segment of ['', '/me', '/alice', '/al%69ce']) {
    const tasks = (await (await alice.get(`/api/tasks${segment}?limit=5`)).json()) as TaskJson[];
    assert.deepEqual(
      tasks.map((task) => task._id),
      [_id],
    );
  }
});

test('PUT creates a task with the id in its URL, and replaces it', async (t) => {
  const clock = movableClock(START);
  const { as } = await startServer(t, { clock });
  const alice = as('alice');
  const created = await alice.put(`/api/tasks/${ID}`, { Text: 'Buy milk', completed: true });
  clock.advance(MINUTE_MS);
  const replaced = await alice.put(`/api/tasks/${ID.toUpperCase()}`, { Text: 'Buy bread', completed: true });
  clock.advance(MINUTE_MS);
  const reopened = await alice.put(`/api/tasks/${ID}`, { Text: 'Buy bread', date: '2026-12-24' });

  const at = (minute: number): string => new Date(START + minute * MINUTE_MS).toISOString();
  const base = {
    _id: ID,
    Text: 'Buy bread',
    task: 'Buy bread',
    completed: true,
    date: at(0),
    due: null,
    completedAt: at(0),
    ...ABSENT,
  };
  assert.equal(new URL(created.headers.get('location') ?? '', created.url).pathname, `/api/tasks/${ID}`);
  assert.deepEqual(await taskIn(created, 201), {
    ...base,
    Text: 'Buy milk',
    task: 'Buy milk',
    createdAt: at(0),
    updatedAt: at(0),
  });
  assert.equal(replaced.headers.get('location'), null);
  assert.deepEqual(await taskIn(replaced), { ...base, createdAt: at(0), updatedAt: at(1) });
  const open = { completed: false, completedAt: null, date: '2026-12-24T00:00:00.000Z', due: '2026-12-24' };
  assert.deepEqual(await taskIn(reopened), { ...base, ...open, createdAt: at(0), updatedAt: at(2) });
});

test('PATCH changes what it names, and null resets it', async (t) => {
  const clock = movableClock(START);
  const { as } = await startServer(t, { clock });
  const alice = as('alice');
  const task = await alice.create({ Text: 'Buy milk', date: '2026-12-24' });
  const path = `/api/tasks/${task._id}`;
  clock.advance(MINUTE_MS);
  const now = new Date(clock.now()).toISOString();
  const mergePatch = { 'Content-Type': 'application/merge-patch+json' };

  const done = await taskIn(await alice.patch(path, { completed: true, owner: 'bob', createdAt: 'never' }));
  const renamed = await taskIn(await alice.patch(path, JSON.stringify({ task: 'Buy bread' }), mergePatch));
  const reset = await taskIn(await alice.patch(path, { completed: null, date: null }));

  assert.deepEqual(done, { ...task, completed: true, completedAt: now, updatedAt: now });
  assert.deepEqual(renamed, { ...done, Text: 'Buy bread', task: 'Buy bread' });
  assert.deepEqual(reset, { ...renamed, completed: false, completedAt: null, date: task.createdAt, due: null });
  assert.deepEqual(await taskIn(await alice.get(path)), reset);
});

test('a patch must be a JSON object that leaves a text', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const path = `/api/tasks/${(await alice.create({ Text: 'Buy milk' }))._id}`;
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

  await expectProblem(await alice.patch(path, { Text: null }), 409, 'MissingTask');
  await expectProblem(await alice.patch(path, { Text: 'a', task: 'b' }), 400, 'InvalidTask', /differ/);
  await expectProblem(await alice.patch(path, 'Text=a', form), 415, 'UnsupportedMediaType');
  await expectProblem(await alice.patch(path), 400, 'InvalidContent');
  await expectProblem(await alice.patch(path, []), 400, 'InvalidContent');

  assert.equal((await taskIn(await alice.get(path))).Text, 'Buy milk');
});

test('DELETE removes one task, whichever case its id is written in', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const { _id } = await alice.create({ Text: 'Buy milk' });
  const other = await alice.create({ Text: 'Buy milk' });

  const response = await alice.delete(`/api/tasks/${_id.toUpperCase()}`);

  assert.equal(response.status, 204);
  assert.equal(await response.text(), '');
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    const gone = await alice.request(method, `/api/tasks/${_id}`, method === 'PATCH' ? { body: {} } : {});
    await expectProblem(gone, 404, 'TaskNotFound', `${_id} was not found`);
  }
  assert.deepEqual(await alice.list(), [other]);
});

test('an id can be used again by the user who deleted it', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  await alice.put(`/api/tasks/${ID}`, { Text: 'Buy milk' });
  await alice.delete(`/api/tasks/${ID}`);

  const task = await taskIn(await alice.put(`/api/tasks/${ID}`, { Text: 'Buy bread' }), 201);

  assert.deepEqual(await alice.list(), [task]);
});

test('PUT with a text changes all tasks that have exactly this text', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const first = await alice.create({ Text: 'Buy milk', date: '2026-12-24' });
  const second = await alice.create({ Text: 'Buy milk', completed: true });
  const other = await alice.create({ Text: 'Buy Milk' });

  const response = await alice.put('/api/tasks/me', { task: 'Buy milk', completed: true });

  const updated = (await response.json()) as TaskJson[];
  assert.equal(response.status, 200);
  assert.deepEqual(
    updated.map(({ _id, completed, date }) => ({ _id, completed, date })).sort((a, b) => (a._id < b._id ? -1 : 1)),
    [first, second].map(({ _id, date }) => ({ _id, completed: true, date })).sort((a, b) => (a._id < b._id ? -1 : 1)),
  );
  assert.equal(updated.find(({ _id }) => _id === second._id)?.completedAt, second.completedAt);
  assert.deepEqual(await taskIn(await alice.get(`/api/tasks/${other._id}`)), other);
  await expectProblem(await alice.put('/api/tasks/alice', { Text: 'Buy' }), 404, 'TaskNotFound', 'Buy was not found');
  await expectProblem(await alice.put('/api/tasks/me', { completed: true }), 409, 'MissingTask');
});

test('a task can be created and deleted by its text in the URL', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const texts = ['Buy milk', 'é/ü?#%', '..', 'a'.repeat(4096), '€'.repeat(4096)];

  for (const text of texts) {
    const path = `/api/tasks/me/${encodeURIComponent(text).replaceAll('.', '%2E')}`;
    const response = await alice.post(path.replace('%2E%2E', 'dots'));
    const task = await taskIn(response, 201);
    assert.equal(task.Text, text === '..' ? 'dots' : text);
    assert.equal(new URL(response.headers.get('location') ?? '', response.url).pathname, `/api/tasks/${task._id}`);
    assert.equal((await alice.delete(path.replace('%2E%2E', 'dots'))).status, 204);
  }

  assert.deepEqual(await alice.list(), []);
  await expectProblem(await alice.post('/api/tasks/me/%20'), 409, 'MissingTask');
  await expectProblem(await alice.delete('/api/tasks/me/%20'), 409, 'MissingTask');
  await expectProblem(await alice.delete('/api/tasks/me/nothing'), 404, 'TaskNotFound', 'nothing was not found');
  await expectProblem(await alice.post(`/api/tasks/me/${'a'.repeat(4097)}`), 400, 'InvalidTask');
});

test('in a URL an id comes before a text', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const task = await alice.create({ Text: 'Buy milk' });
  const named = await taskIn(await alice.post(`/api/tasks/me/${task._id}`), 201);

  assert.equal((await alice.delete(`/api/tasks/me/${task._id}`)).status, 204);
  assert.deepEqual(await alice.list(), [named]);
  assert.equal((await alice.delete(`/api/tasks/me/${task._id}`)).status, 204);
  assert.deepEqual(await alice.list(), []);
});

test('of a segment that is not the caller the answer says only that it was not found', async (t) => {
  const { as } = await startServer(t);
  await as('bob').create({ Text: 'Buy milk' });
  const alice = as('alice');

  for (const segment of ['bob', 'nobody', 'Alice', ID.slice(1), `${ID}0`, '$ne']) {
    const answers = [
      await alice.get(`/api/tasks/${segment}`),
      await alice.put(`/api/tasks/${segment}`, { Text: 'Buy milk' }),
      await alice.delete(`/api/tasks/${segment}`),
      await alice.post(`/api/tasks/${segment}/Buy%20milk`),
      await alice.delete(`/api/tasks/${segment}/Buy%20milk`),
    ];
    for (const answer of answers) await expectProblem(answer, 404, 'TaskNotFound', `${segment} was not found`);
  }
  const long = 'é'.repeat(3000);
  await expectProblem(await alice.get(`/api/tasks/${long}`), 404, 'TaskNotFound', /^é{200}… was not found$/);
  await expectProblem(await alice.put('/api/tasks/changes', { Text: 'a' }), 405, 'MethodNotAllowed');
  await expectProblem(await alice.delete('/api/tasks/changes'), 405, 'MethodNotAllowed');
  assert.equal((await as('bob').list()).length, 1);
});

test('HEAD says what GET would say, without the body', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const { _id } = await alice.create({ Text: 'Buy milk' });

  for (const path of ['/api/tasks', `/api/tasks/${_id}`, '/api/tasks/me', '/tasks']) {
    const get = await alice.get(path);
    const head = await alice.request('HEAD', path);

    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    for (const name of ['etag', 'content-type', 'content-length']) {
      assert.ok(head.headers.has(name));
      assert.equal(head.headers.get(name), get.headers.get(name));
    }
  }
});
