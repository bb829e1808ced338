/** Erasures and moves whose process is killed in the middle, while others write and sync. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Connection } from 'mongoose';

import { Client, type TaskJson } from '../support/client.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { startProcess } from '../support/process.ts';
import { startServer } from '../support/server.ts';
import { proxyStore } from '../support/tcpProxy.ts';
import { until } from '../support/until.ts';

const CLI = join(import.meta.dirname, '../../src/people/cli.ts');

interface ChangesJson {
  changed: TaskJson[];
  removed: string[];
  next: string;
  more: boolean;
}

async function replicaOf(client: Client, since?: { replica: Map<string, string>; next: string }) {
  const replica = since?.replica ?? new Map<string, string>();
  for (let next = since?.next; ;) {
    const response = await client.get(`/api/tasks/changes${next === undefined ? '' : `?since=${next}`}`);
    assert.equal(response.status, 200, await response.clone().text());
    const answer = (await response.json()) as ChangesJson;
    for (const { _id, Text } of answer.changed) replica.set(_id, Text);
    for (const id of answer.removed) replica.delete(id);
    next = answer.next;
    if (!answer.more) return { replica, next };
  }
}

async function moveUntilKilled(t: TestContext, uri: string, isTime: () => Promise<boolean>): Promise<number | null> {
  const env = { PATH: process.env['PATH'], MONGODB_URI: uri };
  const child = spawn(process.execPath, [CLI, 'move', 'old', 'new'], { cwd: await temporaryDirectory(t), env });
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const state = { hasExited: false };
  void exited.then(() => (state.hasExited = true));
  while (!state.hasExited && !(await isTime())) await sleep(1);
  child.kill('SIGKILL');
  return await exited;
}

const texts = (replica: Map<string, string>): string[] => [...replica.values()].sort();

describe('killed in the middle', () => {
  test('a move goes on where it was, and loses and doubles nothing', async (t) => {
    const { as, connection, uri } = await startServer(t);
    const [old, young] = [as('old'), as('new')];
    const expected = Array.from({ length: 700 }, (_, i) => `Task ${i}`);
    await connection.collection('tasks').insertMany(expected.map((Text) => ({ owner: 'old', Text })));
    await young.create({ Text: 'mine' });
    expected.push('mine');
    const devices = [await replicaOf(old), await replicaOf(young)] as const;

    for (const part of [1, 200, 350, 401]) {
      const code = await moveUntilKilled(t, uri, async () => (await ownedBy(connection, 'new')) > part);
      if (code === 0) break;
      expected.push((await old.create({ Text: `after the kill at ${part}` })).Text);
    }
    const code = await moveUntilKilled(t, uri, () => Promise.resolve(false));
    const [phone, tablet] = [await replicaOf(old, devices[0]), await replicaOf(young, devices[1])];

    assert.equal(code, 0);
    assert.equal(await ownedBy(connection, 'old'), 0);
    assert.deepEqual(texts(tablet.replica), expected.sort());
    assert.deepEqual(texts(phone.replica), []);
    assert.deepEqual(texts((await replicaOf(young)).replica), expected);
  });

  test('a process that remembers an erased user, and is killed right after it has stored something, leaves nothing', async (t) => {
    const { tenant, uri, connection, as } = await startServer(t);
    const proxy = await proxyStore(t, uri);
    const second = await startProcess(t, tenant, { MONGODB_URI: proxy.uri });
    const onSecond = new Client(second.url, as('alice').token, () => undefined);
    await onSecond.create({ Text: 'old life' });

    assert.equal((await as('alice').delete('/api/me')).status, 204);
    proxy.stallAnswers();
    const sent = proxy.bytesForth;
    const lost = onSecond.post('/api/tasks', { Text: 'never acknowledged' }).catch(() => undefined);
    await until(() => proxy.bytesForth > sent);
    second.child.kill('SIGKILL');
    await Promise.all([second.exited, lost]);
    proxy.cut();

    for (const name of ['users', 'tasks']) assert.equal(await connection.collection(name).countDocuments({}), 0);
  });

  test('an erasure is finished by another process, which writes meanwhile', async (t) => {
    const { tenant, uri, connection, as } = await startServer(t);
    const [first, second] = await Promise.all([
      startProcess(t, tenant, { MONGODB_URI: uri }),
      startProcess(t, tenant, { MONGODB_URI: uri }),
    ]);
    const clientOf = (url: string): Client => new Client(url, as('alice').token, () => undefined);
    const [onFirst, onSecond] = [clientOf(first.url), clientOf(second.url)];
    await onSecond.create({ Text: 'old life' });
    const tasks = Array.from({ length: 5000 }, () => ({ owner: 'alice', Text: 'old life' }));
    await connection.collection('tasks').insertMany(tasks);
    const state = { isOver: false };
    const writing = (async () => {
      while (!state.isOver) await onSecond.post('/api/tasks', { Text: 'any life' });
    })();

    const erasing = onFirst.delete('/api/me').then(
      ({ status }) => status,
      () => undefined,
    );
    const users = connection.collection('users');
    while ((await users.countDocuments({ oid: 'alice', erasing: { $exists: true } })) === 0) {
      if ((await Promise.race([erasing, sleep(1, 0)])) === 204) break;
    }
    first.child.kill('SIGKILL');
    await first.exited;
    await erasing;
    // Until it has asked again whether she lives, a writer may still store what the erasure then finds.
    await until(async () => (await users.countDocuments({ erasing: { $exists: true } })) === 0);
    await onSecond.post('/api/tasks', { Text: 'new life' });
    state.isOver = true;
    await writing;

    const stored = await connection.collection('tasks').find({ owner: 'alice' }).toArray();
    assert.equal(stored.filter(({ Text }) => Text === 'old life').length, 0);
    assert.equal(await users.countDocuments({ oid: 'alice', erasing: { $exists: false } }), 1);
    assert.equal((await replicaOf(as('alice'))).replica.size, stored.length);
  });
});

async function ownedBy(connection: Connection, owner: string): Promise<number> {
  return await connection.collection('tasks').countDocuments({ owner, deletedAt: null });
}
