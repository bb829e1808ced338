import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectProblem, type TaskJson } from '../support/client.ts';
import { testDatabase } from '../support/database.ts';
import { startServer } from '../support/server.ts';

// The tutorial kept the caller in a module variable, so a request could get the answer for another that overlapped it.
test('the requests of many users do not mix, however they interleave', async (t) => {
  const { as } = await startServer(t);
  const users = Array.from({ length: 8 }, (_, i) => as(`user-${i}`));

  await Promise.all(
    users.flatMap((user, i) =>
      Array.from({ length: 6 }, async (_, n) => {
        const { _id } = await user.create({ Text: `Task ${n} of user ${i}` });
        const read = (await (await user.get(`/api/tasks/${_id}`)).json()) as TaskJson;
        assert.equal(read.Text, `Task ${n} of user ${i}`);
        if (n % 2 === 0) await user.patch(`/api/tasks/${_id}`, { completed: true });
        if (n === 5) await user.delete('/api/tasks', { Text: `Task ${n} of user ${i}` });
      }),
    ),
  );

  for (const [i, user] of users.entries()) {
    const tasks = await user.list();
    assert.deepEqual(
      tasks.map(({ Text }) => Text).sort(),
      [0, 1, 2, 3, 4].map((n) => `Task ${n} of user ${i}`),
    );
    assert.equal(tasks.filter(({ completed }) => completed).length, 3);
  }
});

test('a task is invisible to everyone but its owner', async (t) => {
  const { as } = await startServer(t);
  const { _id, ...task } = await as('alice').create({ Text: 'Buy milk' });
  const bob = as('bob');
  const path = `/api/tasks/${_id}`;

  await expectProblem(await bob.get(path), 404, 'TaskNotFound', `${_id} was not found`);
  await expectProblem(await bob.patch(path, { completed: true }), 404, 'TaskNotFound');
  await expectProblem(await bob.delete(path), 404, 'TaskNotFound');
  await expectProblem(await bob.delete(`/api/tasks/me/${_id}`), 404, 'TaskNotFound');
  await expectProblem(await bob.delete('/api/tasks', { Text: 'Buy milk' }), 404, 'TaskNotFound');
  await expectProblem(await bob.put('/api/tasks/me', { Text: 'Buy milk' }), 404, 'TaskNotFound');
  await expectProblem(await bob.put(path, { Text: 'Mine now' }), 409, 'TaskExists', /^[0-9a-f]{24} is taken/);
  assert.equal((await bob.delete('/api/tasks?all=true')).status, 204);
  assert.deepEqual(await bob.list(), []);
  const { changed, removed } = (await (await bob.get('/api/tasks/changes')).json()) as Record<string, unknown[]>;
  assert.deepEqual({ changed, removed }, { changed: [], removed: [] });

  assert.deepEqual(await as('alice').list(), [{ _id, ...task }]);
});

test('reads that come together each get their own user’s tasks', async (t) => {
  const { as } = await startServer(t);
  const users = ['alice', 'bob', 'carol'].map((name) => as(name));
  const ids = await Promise.all(users.map(async (user) => (await user.create({ Text: 'Buy milk' }))._id));

  const statuses = await Promise.all(
    Array.from({ length: 20 }).flatMap(() =>
      users.map(async (user) => {
        const answers = await Promise.all(ids.map((id) => user.get(`/api/tasks/${id}`)));
        return answers.map(({ status }) => status);
      }),
    ),
  );

  for (const [i, each] of statuses.entries()) {
    assert.deepEqual(
      each,
      ids.map((_, owner) => (owner === i % users.length ? 200 : 404)),
    );
  }
});

test("the id of somebody's deleted task stays taken for everybody else", async (t) => {
  const { as } = await startServer(t);
  const { _id } = await as('alice').create({ Text: 'Buy milk' });
  await as('alice').delete(`/api/tasks/${_id}`);

  await expectProblem(await as('bob').put(`/api/tasks/${_id}`, { Text: 'Buy milk' }), 409, 'TaskExists');
});

test('a user whose oid looks like an operator is a user like any other', async (t) => {
  const { as } = await startServer(t);
  const odd = as('$ne');
  await as('alice').create({ Text: 'Buy milk' });

  await odd.create({ Text: 'Buy bread' });

  assert.equal((await odd.list()).length, 1);
  assert.equal((await odd.get('/api/tasks/$ne')).status, 200);
});

interface Command {
  filter?: object;
  updates?: { q: object }[];
  documents?: object[];
  /** Counting: of MongoDB's two ways to count, the driver uses this one. */
  pipeline?: { $match?: object }[];
}

test('every command on what belongs to somebody names the owner', async (t) => {
  const { uri } = await testDatabase(t);
  const { as, connection } = await startServer(t, {
    uri: `${uri}${uri.includes('?') ? '&' : '?'}monitorCommands=true`,
  });
  const commands: { name: string; command: Command }[] = [];
  connection.getClient().on('commandStarted', ({ commandName: name, command }) => {
    const collection: unknown = command[name];
    if (['tasks', 'syncs', 'creations'].includes(String(collection))) commands.push({ name, command });
  });
  const alice = as('alice');
  const { _id } = await alice.create({ Text: 'Buy milk' });
  const requests = [
    () => alice.post('/api/tasks', { Text: 'Buy milk' }, { 'Idempotency-Key': 'key' }),
    () => alice.post('/api/tasks', { Text: 'Buy milk' }, { 'Idempotency-Key': 'key' }),
    () =>
      alice.get('/api/tasks?sort=-updatedAt&limit=1&q=milk&completed=false&dueAfter=2026-01-01&dueBefore=2027-01-01'),
    () => alice.get('/api/tasks/changes?limit=1'),
    () => alice.get('/api/tasks/changes'),
    () => alice.get(`/api/tasks/${_id}`),
    () => alice.patch(`/api/tasks/${_id}`, { completed: true }),
    () => alice.put(`/api/tasks/${_id}`, { Text: 'Buy bread' }),
    () => alice.put('/api/tasks/me', { Text: 'Buy bread' }),
    () => alice.delete(`/api/tasks/${_id}`),
    () => alice.delete('/api/tasks/me/Buy%20milk'),
    () => alice.delete('/api/tasks?all=true'),
  ];

  for (const request of requests) assert.ok((await request()).ok);

  assert.deepEqual([...new Set(commands.map(({ name }) => name))].sort(), ['aggregate', 'find', 'insert', 'update']);
  for (const { command } of commands) {
    const { filter, updates = [], pipeline } = command;
    const filters = [filter ?? pipeline?.[0]?.$match ?? [], updates.map(({ q }) => q)].flat();
    assert.ok(filters.length > 0 || command.documents !== undefined);
    for (const filter of filters) assert.deepEqual((filter as { owner?: unknown }).owner, { $eq: 'alice' });
    for (const document of command.documents ?? []) assert.equal((document as { owner: string }).owner, 'alice');
  }
});

test('every index leads with the owner, but for those that let the store drop what is too old', async (t) => {
  const { connection } = await startServer(t);

  for (const name of ['tasks', 'syncs', 'creations']) {
    for (const { key, expireAfterSeconds } of await connection.collection(name).listIndexes().toArray()) {
      const [first] = Object.keys(key as object);
      assert.ok(first === 'owner' || first === '_id' || expireAfterSeconds !== undefined, JSON.stringify(key));
    }
  }
});
