/** Erasures and moves whose process is killed in the middle, while others write and sync. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mongoose';
import { Client } from '../support/client.ts';
import { Device } from '../support/device.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { bareEnv, startProcess } from '../support/process.ts';
import { startServer } from '../support/server.ts';
import { proxyStore } from '../support/tcpProxy.ts';
import { until } from '../support/until.ts';

const CLI = join(import.meta.dirname, '../../src/people/cli.ts');

async function moveUntilKilled(
  t: TestContext,
  uri: string,
  isTime: () => Promise<boolean>,
  [from, to] = ['old', 'new'],
): Promise<number | null> {
  const env = { ...bareEnv, MONGODB_URI: uri };
  const child = spawn(process.execPath, [CLI, 'move', from, to], { cwd: await temporaryDirectory(t), env });
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const state = { hasExited: false };
  void exited.then(() => (state.hasExited = true));
  while (!state.hasExited && !(await isTime())) await sleep(1);
  child.kill('SIGKILL');
  return await exited;
}

describe('killed in the middle', () => {
  test('a move goes on where it was, and loses and duplicates nothing', async (t) => {
    const { as, connection, uri } = await startServer(t);
    const [old, young] = [as('old'), as('new')];
    const expected = Array.from({ length: 700 }, (_, i) => `Task ${i}`);
    await connection.collection('tasks').insertMany(expected.map((Text) => ({ owner: 'old', Text })));
    await young.create({ Text: 'mine' });
    expected.push('mine');
    const [phone, tablet, late] = [new Device(), new Device(), new Device()];
    await phone.sync(old);
    await tablet.sync(young);

    for (const part of [1, 200, 350, 401]) {
      const code = await moveUntilKilled(t, uri, async () => (await ownedBy(connection, 'new')) > part);
      if (code === 0) break;
      expected.push((await old.create({ Text: `after the kill at ${part}` })).Text);
    }
    const code = await moveUntilKilled(t, uri, () => Promise.resolve(false));
    await phone.sync(old);
    for (const device of [tablet, late]) await device.sync(young);

    assert.equal(code, 0);
    assert.equal(await ownedBy(connection, 'old'), 0);
    assert.deepEqual(tablet.texts, expected.sort());
    assert.deepEqual(phone.texts, []);
    assert.deepEqual(late.texts, expected);
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
    const device = new Device();
    await device.sync(as('alice'));
    assert.equal(device.texts.length, stored.length);
  });
});

async function ownedBy(connection: Connection, owner: string): Promise<number> {
  return await connection.collection('tasks').countDocuments({ owner, deletedAt: null });
}
