import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Client, expectProblem } from '../support/client.ts';
import { sendRaw } from '../support/raw.ts';
import { startServer, type TestServer } from '../support/server.ts';

const json = { 'Content-Type': 'application/json' };
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

async function withThreeTasks({ as }: TestServer, user: string): Promise<Client> {
  const client = as(user);
  for (const Text of ['Buy milk', 'Buy milk', 'Buy bread']) await client.create({ Text });
  return client;
}

async function textsOf(client: Client): Promise<string[]> {
  return (await client.list()).map(({ Text }) => Text).sort();
}

const byText: Record<string, (client: Client) => Promise<Response>> = {
  'a JSON body': (client) => client.delete('/api/tasks', { Text: 'Buy milk' }),
  'the name task': (client) => client.delete('/api/tasks', { task: 'Buy milk' }),
  'a form body': (client) => client.delete('/api/tasks', 'Text=Buy%20milk', form),
  'the query': (client) => client.delete('/api/tasks?Text=Buy%20milk'),
  'the query under the name task': (client) => client.delete('/api/tasks/me?task=Buy+milk'),
  'body and query alike': (client) => client.delete('/api/tasks?task=Buy+milk', { Text: 'Buy milk' }),
};
test('DELETE with a text removes the tasks with exactly this text', async (t) => {
  const server = await startServer(t);
  for (const [way, remove] of Object.entries(byText)) {
    const client = await withThreeTasks(server, way);

    const response = await remove(client);

    assert.equal(response.status, 204, way);
    assert.deepEqual(await textsOf(client), ['Buy bread'], way);
    await expectProblem(await remove(client), 404, 'TaskNotFound', 'Buy milk was not found');
  }
});

test('DELETE with all=true removes all of the caller, and of nobody else', async (t) => {
  const server = await startServer(t);
  const bob = await withThreeTasks(server, 'bob');
  for (const path of ['/api/tasks', '/api/tasks/me', '/api/tasks/alice']) {
    const alice = await withThreeTasks(server, 'alice');

    const response = await alice.delete(`${path}?all=true`);

    assert.equal(response.status, 204);
    assert.deepEqual(await alice.list(), []);
    assert.equal((await alice.delete(`${path}?all=true`)).status, 204);
  }
  assert.equal((await bob.list()).length, 3);
});

const refused: Record<string, (client: Client) => Promise<Response>> = {
  'nothing at all': (client) => client.delete('/api/tasks'),
  'nothing behind the owner': (client) => client.delete('/api/tasks/me'),
  'a slash at the end and all': (client) => client.delete('/api/tasks/?all=true'),
  'a Content-Type without the body that it announces': (client) => client.delete('/api/tasks', undefined, json),
  'an empty JSON object': (client) => client.delete('/api/tasks', {}),
  'a body without a text': (client) => client.delete('/api/tasks', { id: 5, text: 'Buy milk' }),
  'a null text': (client) => client.delete('/api/tasks', { Text: null }),
  'an empty text': (client) => client.delete('/api/tasks', { task: '' }),
  'a blank text in the query': (client) => client.delete('/api/tasks?Text=%20'),
  'a query without a text': (client) => client.delete('/api/tasks?id=5'),
  'an empty query': (client) => client.delete('/api/tasks/me?task='),
  'a slash at the end': (client) => client.delete('/api/tasks/'),
  'two slashes at the end': (client) => client.delete('/api/tasks//'),
  'a slash behind the owner': (client) => client.delete('/api/tasks/me/'),
  'a doubled slash before the owner': (client) => client.delete('/api/tasks//me'),
  'a slash at the end and a text': (client) => client.delete('/api/tasks/', { Text: 'Buy milk' }),
};
test('DELETE with anything else is refused, and nothing is deleted', async (t) => {
  const server = await startServer(t);
  const client = await withThreeTasks(server, 'alice');

  for (const remove of Object.values(refused)) {
    await expectProblem(await remove(client), 409, 'MissingTask', /^"task" is a required parameter/);
  }

  await expectProblem(await client.delete('/api/tasks'), 409, 'MissingTask', /all=true/);
  await expectProblem(await client.delete('/api/tasks?all=yes'), 400, 'InvalidQuery', /^all/);
  const contradicting = await client.delete('/api/tasks?Text=Buy+bread', { Text: 'Buy milk' });
  await expectProblem(contradicting, 400, 'InvalidTask');
  const repeated = await client.delete('/api/tasks?Text=Buy+milk&Text=Buy+milk');
  await expectProblem(repeated, 400, 'InvalidQuery', /Text/);
  await expectProblem(await client.delete('/api/tasks', { Text: { $ne: '' } }), 400, 'InvalidTask');
  await expectProblem(await client.delete('/api/tasks', 'Text=Buy%20milk'), 415, 'UnsupportedMediaType');
  assert.equal((await client.list()).length, 3);
});

test('a question mark alone is a query, and a chunked body without bytes is one that was lost', async (t) => {
  const server = await startServer(t);
  const client = await withThreeTasks(server, 'alice');
  const headers = `Host: localhost\r\nAuthorization: Bearer ${client.token ?? ''}\r\nConnection: close\r\n`;

  const query = await sendRaw(server.port, `DELETE /api/tasks? HTTP/1.1\r\n${headers}\r\n`);
  assert.deepEqual(query.statuses, [409]);
  assert.equal((await client.list()).length, 3);

  const chunked = await sendRaw(
    server.port,
    `DELETE /api/tasks HTTP/1.1\r\n${headers}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  );
  assert.deepEqual(chunked.statuses, [409]);
  assert.equal((await client.list()).length, 3);
});

test('a byte order mark in a text is a character like any other', async (t) => {
  const alice = (await startServer(t)).as('alice');
  for (const Text of ['plain', '\ufeffplain']) await alice.create({ Text });

  assert.equal((await alice.delete('/api/tasks?Text=%EF%BB%BFplain')).status, 204);

  assert.deepEqual(
    (await alice.list()).map(({ Text }) => Text),
    ['plain'],
  );
});

test('more tasks than one command takes are deleted in one request', async (t) => {
  const { as, connection } = await startServer(t);
  const alice = as('alice');
  const tasks = Array.from({ length: 1100 }, () => ({ owner: 'alice', Text: 'Buy milk', date: new Date() }));
  await connection.collection('tasks').insertMany(tasks);

  const response = await alice.delete('/api/tasks/me/Buy%20milk');

  assert.equal(response.status, 204);
  assert.deepEqual(await alice.list(), []);
});

test('a deleted task leaves nothing but its id, its owner, a version and the time', async (t) => {
  const { as, connection } = await startServer(t);
  const alice = as('alice');
  for (const Text of ['Buy milk', 'Buy bread', 'Buy eggs']) await alice.create({ Text, completed: true });
  const [first] = await alice.list();

  await alice.delete(`/api/tasks/${first?._id ?? ''}`);
  await alice.delete('/api/tasks?Text=Buy+bread');
  await alice.delete('/api/tasks?all=true');

  const left = await connection.collection('tasks').find({ owner: 'alice' }).toArray();
  assert.equal(left.length, 3);
  for (const tombstone of left) {
    assert.deepEqual(Object.keys(tombstone).sort(), ['_id', 'deletedAt', 'owner', 'version']);
  }
});

test('a tag cannot be compared with many tasks at once, so the write is refused', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const { _id } = await alice.create({ Text: 'Buy milk' });
  const etag = (await alice.get('/api/tasks')).headers.get('etag') ?? '';

  for (const headers of [{ 'If-Match': etag }, { 'If-None-Match': '*' }]) {
    await expectProblem(await alice.delete('/api/tasks?all=true', undefined, headers), 412, 'PreconditionFailed');
    await expectProblem(await alice.delete('/api/tasks/me/Buy%20milk', undefined, headers), 412, 'PreconditionFailed');
    await expectProblem(await alice.put('/api/tasks/me', { Text: 'Buy milk' }, headers), 412, 'PreconditionFailed');
    await expectProblem(await alice.delete(`/api/tasks/me/${_id}`, undefined, headers), 412, 'PreconditionFailed');
  }
  assert.equal((await alice.list()).length, 1);
  assert.equal((await alice.delete('/api/tasks?all=true', undefined, { 'If-Match': '*' })).status, 204);
});
