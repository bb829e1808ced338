import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Client, expectProblem, type TaskJson } from '../support/client.ts';
import { startServer } from '../support/server.ts';

const ID = '6742d0c4e1a2b3c4d5e6f708';
const STALE = '"6742d0c4e1a2b3c4d5e6f709"';

function etagOf(response: Response): string {
  const etag = response.headers.get('etag');
  assert.match(etag ?? '', /^"[0-9a-f]{24}"$/);
  return etag ?? '';
}

const writes: Record<string, (client: Client, headers: Record<string, string>) => Promise<Response>> = {
  PUT: (client, headers) => client.put(`/api/tasks/${ID}`, { Text: 'Buy bread' }, headers),
  PATCH: (client, headers) => client.patch(`/api/tasks/${ID}`, { Text: 'Buy bread' }, headers),
  DELETE: (client, headers) => client.delete(`/api/tasks/${ID}`, undefined, headers),
  'DELETE by owner and id': (client, headers) => client.delete(`/api/tasks/me/${ID}`, undefined, headers),
};

test('a task has a new tag after every write, also when it is deleted and put again', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const path = `/api/tasks/${ID}`;
  const tags: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    tags.push(etagOf(await alice.put(path, { Text: 'Buy milk' })));
    tags.push(etagOf(await alice.put(path, { Text: 'Buy milk' })));
    tags.push(etagOf(await alice.patch(path, {})));
    await alice.put('/api/tasks/me', { Text: 'Buy milk' });
    tags.push(etagOf(await alice.get(path)));
    await alice.delete(path);
  }

  assert.equal(new Set(tags).size, 12);
});

for (const [name, write] of Object.entries(writes)) {
  test(`${name} with a stale tag is refused with the current one, and nothing changes`, async (t) => {
    const { as } = await startServer(t);
    const alice = as('alice');
    const created = await alice.put(`/api/tasks/${ID}`, { Text: 'Buy milk' });
    const task = (await created.json()) as TaskJson;

    for (const condition of [{ 'If-Match': STALE }, { 'If-Match': `W/${STALE}` }, { 'If-None-Match': '*' }]) {
      const refused = await write(alice, condition);
      await expectProblem(refused, 412, 'PreconditionFailed');
      assert.equal(etagOf(refused), etagOf(created));
    }

    assert.deepEqual(await alice.list(), [task]);
    const accepted = await write(alice, { 'If-Match': `${STALE}, ${etagOf(created)}` });
    assert.ok(accepted.ok);
    await expectProblem(await write(alice, { 'If-Match': etagOf(created) }), 412, 'PreconditionFailed');
  });

  test(`${name} with a malformed condition is refused, lest somebody's work be overwritten`, async (t) => {
    const { as } = await startServer(t);
    const alice = as('alice');
    await alice.put(`/api/tasks/${ID}`, { Text: 'Buy milk' });

    await expectProblem(await write(alice, { 'If-Match': 'no-quotes' }), 400, 'BadRequest', /If-Match/);

    assert.equal((await alice.list())[0]?.Text, 'Buy milk');
  });
}

test('a condition on a task that is not there fails, unless it asks for just that', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');

  for (const write of Object.values(writes)) {
    await expectProblem(await write(alice, { 'If-Match': '*' }), 412, 'PreconditionFailed');
    await expectProblem(await write(alice, { 'If-Match': STALE }), 412, 'PreconditionFailed');
  }
  assert.deepEqual(await alice.list(), []);

  const created = await alice.put(`/api/tasks/${ID}`, { Text: 'Buy milk' }, { 'If-None-Match': '*' });
  assert.equal(created.status, 201);
});

test('what a client has already is not sent again', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  await alice.put(`/api/tasks/${ID}`, { Text: 'Buy milk' });

  for (const path of [`/api/tasks/${ID}`, '/api/tasks', '/tasks']) {
    const etag = (await alice.get(path)).headers.get('etag') ?? '';
    for (const ifNoneMatch of [etag, `W/${etag}`, `"x", ${etag}`, '*', etag.replace(/"$/, '-gzip"')]) {
      const response = await alice.get(path, { 'If-None-Match': ifNoneMatch });
      assert.equal(response.status, 304, `${path} ${ifNoneMatch}`);
      assert.equal(response.headers.get('etag'), etag);
      assert.equal(await response.text(), '');
    }
    assert.equal((await alice.get(path, { 'If-None-Match': STALE })).status, 200);
  }
  const list = (await alice.get('/api/tasks')).headers.get('etag') ?? '';
  await alice.patch(`/api/tasks/${ID}`, { completed: true });
  assert.equal((await alice.get('/api/tasks', { 'If-None-Match': list })).status, 200);
});

test('of twenty writers with one tag, at two instances, exactly one wins', async (t) => {
  const server = await startServer(t);
  const other = await startServer(t, server);
  const clients = [server.as('alice'), other.as('alice')];
  const ways = Object.values(writes).slice(0, 3);

  for (let round = 0; round < 4; round += 1) {
    const etag = etagOf(await server.as('alice').put(`/api/tasks/${ID}`, { Text: 'Buy milk' }));
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const [client, write] = [clients[i % 2], ways[(i + round) % 3]];
        assert.ok(client && write);
        return await write(client, { 'If-Match': etag });
      }),
    );

    const statuses = answers.map(({ status }) => status).sort();
    assert.ok(statuses[0] === 200 || statuses[0] === 204);
    assert.deepEqual(statuses.slice(1), Array(19).fill(412));
  }
});

test('of twenty requests to create one id, at two instances, exactly one does', async (t) => {
  const server = await startServer(t);
  const other = await startServer(t, server);
  const clients = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? server : other).as('alice'));

  const answers = await Promise.all(
    clients.map((client, i) => client.put(`/api/tasks/${ID}`, { Text: `Writer ${i}` }, { 'If-None-Match': '*' })),
  );

  const winner = answers.findIndex(({ status }) => status === 201);
  assert.equal(answers.filter(({ status }) => status === 412).length, 19);
  assert.equal((await server.as('alice').list())[0]?.Text, `Writer ${winner}`);
});

test('writers that change different members at once keep each other’s changes', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const { _id } = await alice.create({ Text: 'Buy milk' });
  const changes = [{ Text: 'Buy bread' }, { completed: true }, { date: '2026-12-24' }];

  const answers = await Promise.all(
    Array.from({ length: 18 }, (_, i) => alice.patch(`/api/tasks/${_id}`, changes[i % 3] ?? {})),
  );

  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  const [task] = await alice.list();
  assert.deepEqual(
    { Text: task?.Text, completed: task?.completed, date: task?.date },
    { Text: 'Buy bread', completed: true, date: '2026-12-24T00:00:00.000Z' },
  );
});
