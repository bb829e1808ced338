/** The very requests of the original apps, byte for byte where it matters. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import type { TaskJson } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  text: string;
}

/** Nothing but these headers and the ones that HTTP needs. */
function send({ port }: TestServer, method: string, headers: Record<string, string>, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': String(body.length) };
    const req = request({ port, path: '/tasks', method, headers: { ...headers, ...length } }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => {
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString() });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** `samplesWebAPIConnector.m`: a bearer token, JSON from NSJSONSerialization, no Accept but the platform's. */
function ios(server: TestServer, method: string, body?: object): Promise<Answer> {
  const headers = { Accept: '*/*', Authorization: `Bearer ${server.as('alice').token ?? ''}` };
  if (body === undefined) return send(server, method, headers);
  return send(server, method, { ...headers, 'Content-Type': 'application/json' }, Buffer.from(JSON.stringify(body)));
}

/** `TodoListHttpService.java`: a Content-Type on everything; `writeBytes` drops the high byte of every character. */
function android(server: TestServer, title?: string): Promise<Answer> {
  const headers = {
    'Content-Type': 'application/json',
    Authorization: `Bearer ${server.as('alice').token ?? ''}`,
    'User-Agent': 'Dalvik/2.1.0 (Linux; U; Android 6.0)',
    'Accept-Encoding': 'gzip;q=0',
  };
  if (title === undefined) return send(server, 'GET', headers);
  // HttpURLConnection turns a GET with a body into a POST.
  return send(server, 'POST', headers, Buffer.from(`{        "task": "${title}"    }`, 'latin1'));
}

test('the iOS app adds a task, shows it and deletes it by its text', async (t) => {
  const server = await startServer(t);

  const added = await ios(server, 'POST', { task: 'Buy milk' });
  const listed = await ios(server, 'GET');
  const deleted = await ios(server, 'DELETE', { task: 'Buy milk' });

  assert.equal(added.status, 201);
  const { _id } = JSON.parse(added.text) as TaskJson;
  const location = new URL(String(added.headers['location']), 'https://example.test/todoserver/tasks');
  assert.equal(location.href, `https://example.test/todoserver/api/tasks/${_id}`);
  const tasks = JSON.parse(listed.text) as TaskJson[];
  assert.deepEqual(
    tasks.map(({ task }) => task),
    ['Buy milk'],
  );
  assert.equal(deleted.status, 204);
  assert.equal((await ios(server, 'GET')).text, '[]');
});

test('the iOS app cannot delete everything by accident', async (t) => {
  const server = await startServer(t);
  await ios(server, 'POST', { task: 'Buy milk' });

  // A task without a name becomes an empty dictionary.
  for (const answer of [await ios(server, 'DELETE', {}), await ios(server, 'DELETE')]) {
    assert.equal(answer.status, 409);
    assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(answer.text, '"task" is a required parameter');
  }
  assert.equal((JSON.parse((await ios(server, 'GET')).text) as TaskJson[]).length, 1);
});

test('an error on this path is not a JSON object, which the iOS app would take for an array', async (t) => {
  const server = await startServer(t);

  const unauthorized = await send(server, 'GET', {});
  const unknown = await ios(server, 'DELETE', { task: 'Buy milk' });
  const method = await ios(server, 'PUT', { task: 'Buy milk' });

  assert.deepEqual([unauthorized.status, unknown.status, method.status], [401, 404, 405]);
  assert.equal(unauthorized.headers['www-authenticate'], 'Bearer realm="Users"');
  assert.equal(unknown.text, 'Buy milk was not found');
  for (const { headers, text } of [unauthorized, unknown, method]) {
    assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
    assert.throws(() => JSON.parse(text) as unknown, SyntaxError);
  }
});

test('the Android app adds a task and reads the list from one line', async (t) => {
  const server = await startServer(t);

  const added = await android(server, 'Buy milk');
  const listed = await android(server);

  assert.equal(added.status, 201);
  assert.equal(listed.status, 200);
  assert.equal(listed.text.split(/\r|\n/).length, 1);
  for (const item of JSON.parse(listed.text) as TaskJson[]) assert.equal(typeof item.task, 'string');
});

test('an accent that the Android app wrote as Latin-1 is kept on /tasks, and refused elsewhere', async (t) => {
  const server = await startServer(t);

  await android(server, 'Crème brûlée');
  await ios(server, 'POST', { task: 'Crème fraîche' });

  const tasks = JSON.parse((await android(server)).text) as TaskJson[];
  assert.deepEqual(tasks.map(({ task }) => task).sort(), ['Crème brûlée', 'Crème fraîche']);
  const body = new Uint8Array(Buffer.from('{"task":"Crème"}', 'latin1'));
  const elsewhere = await server.as('alice').post('/api/tasks', body, { 'Content-Type': 'application/json' });
  assert.equal(elsewhere.status, 400);
});

test('these clients cannot page, so they get 1,000 tasks', async (t) => {
  const server = await startServer(t);
  const date = new Date('2026-11-24');
  const tasks = Array.from({ length: 1001 }, (_, i) => ({ owner: 'alice', Text: `Task ${i}`, date }));
  await server.connection.collection('tasks').insertMany(tasks);

  const { text, headers } = await ios(server, 'GET');

  assert.equal((JSON.parse(text) as TaskJson[]).length, 1000);
  assert.match(String(headers['link']), /rel="next"/);
  assert.equal(((await (await server.as('alice').get('/tasks?limit=5')).json()) as TaskJson[]).length, 5);
});

test('the .NET MVC client gets its list from a path with a slash at its end', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  await alice.create({ Text: 'Buy milk' });

  const response = await alice.get('/api/tasks/');

  assert.equal(response.status, 200);
  for (const task of (await response.json()) as object[]) {
    // JavaScriptSerializer matches names ignoring case, and its Id is a number.
    assert.ok(!Object.keys(task).some((name) => name.toLowerCase() === 'id'));
    assert.ok(!Object.keys(task).includes('owner'));
  }
});
