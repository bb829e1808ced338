/** What a device hears after its server's database has gone back in time, tried with real copies of the store's directory. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { Connection } from 'mongoose';
import { beginNewHistories } from '../../src/tasks/numbering.ts';
import { type Client, expectProblem, type TaskJson } from '../support/client.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { bareEnv } from '../support/process.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startTenant, type Tenant } from '../support/tenant.ts';

interface ChangesJson {
  changed: TaskJson[];
  removed: string[];
  next: string;
  more: boolean;
}

async function changes(client: Client, since?: string): Promise<ChangesJson> {
  const response = await client.get(`/api/tasks/changes${since === undefined ? '' : `?since=${since}`}`);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as ChangesJson;
}

async function expectExpired(client: Client, since: string): Promise<void> {
  await expectProblem(await client.get(`/api/tasks/changes?since=${since}`), 410, 'SyncTokenExpired');
}

const texts = ({ changed }: ChangesJson): string[] => changed.map(({ Text }) => Text).sort();

/** A server on a directory. `stop` frees the directory before the test ends. */
async function serve(
  t: TestContext,
  tenant: Tenant,
  directory: string,
): Promise<TestServer & { stop(): Promise<void> }> {
  const server = await startServer(t, { tenant, uri: `embedded:${directory}` });
  const stop = async (): Promise<void> => {
    await server.app.connections.drain(1000);
    await server.database.close();
  };
  return { ...server, stop };
}

/** Alice has synced one task, then the backup was made, then she has synced a second one. */
async function backedUp(t: TestContext) {
  const tenant = await startTenant(t);
  const [data, backup] = [path.join(await temporaryDirectory(t), 'data'), await temporaryDirectory(t)];
  const before = await serve(t, tenant, data);
  await before.as('alice').create({ Text: 'before the backup' });
  const early = (await changes(before.as('alice'))).next;
  await before.stop();
  await cp(data, backup, { recursive: true });
  const after = await serve(t, tenant, data);
  await after.as('alice').create({ Text: 'lost' });
  const late = (await changes(after.as('alice'), early)).next;
  await after.stop();
  const restore = async (): Promise<TestServer> => {
    await rm(data, { recursive: true });
    await cp(backup, data, { recursive: true });
    return await serve(t, tenant, data);
  };
  const goOn = (): Promise<TestServer> => serve(t, tenant, data);
  return { early, late, restore, goOn };
}

test('a token of what a restored backup has undone is expired, before the numbers have caught up and after', async (t) => {
  const { early, late, restore } = await backedUp(t);
  const alice = (await restore()).as('alice');

  await expectExpired(alice, late);
  for (const Text of ['a', 'b', 'c']) {
    await alice.create({ Text });
    assert.equal((await changes(alice)).changed.at(-1)?.Text, Text);
    await expectExpired(alice, late);
  }

  assert.deepEqual(texts(await changes(alice, early)), ['a', 'b', 'c']);
});

test('a first sync that a restored backup interrupts begins anew', async (t) => {
  const tenant = await startTenant(t);
  const [data, backup] = [path.join(await temporaryDirectory(t), 'data'), await temporaryDirectory(t)];
  const before = await serve(t, tenant, data);
  const kept = await before.as('alice').create({ Text: 'kept' });
  await changes(before.as('alice'));
  await before.stop();
  await cp(data, backup, { recursive: true });
  const after = await serve(t, tenant, data);
  for (const Text of ['x', 'y']) {
    await after.as('alice').create({ Text });
    await changes(after.as('alice'));
  }
  const page = await after.as('alice').get('/api/tasks/changes?limit=1');
  const { next, changed } = (await page.json()) as ChangesJson;
  await after.stop();
  assert.deepEqual(changed, [kept]);
  await rm(data, { recursive: true });
  await cp(backup, data, { recursive: true });
  const alice = (await serve(t, tenant, data)).as('alice');
  await alice.delete(`/api/tasks/${kept._id}`);
  for (const Text of ['a', 'b', 'c']) {
    await alice.create({ Text });
    await changes(alice);
  }

  await expectExpired(alice, next);
});

test('an instance that keeps running while the database goes back in time notices it by what it remembers', async (t) => {
  const { as, connection } = await startServer(t);
  const alice = as('alice');
  await alice.create({ Text: 'before the backup' });
  const early = (await changes(alice)).next;
  const backup = await dump(connection, ['tasks', 'syncs']);
  await alice.create({ Text: 'lost' });
  const late = (await changes(alice, early)).next;
  await load(connection, backup);

  for (const Text of ['a', 'b']) {
    await alice.create({ Text });
    await changes(alice, early);
  }

  await expectExpired(alice, late);
  assert.deepEqual(texts(await changes(alice, early)), ['a', 'b']);
});

test('where only the records of syncs were lost, every token is expired', async (t) => {
  const { early, late, goOn } = await backedUp(t);
  const { as, connection } = await goOn();
  await connection.collection('syncs').deleteMany({});

  for (const token of [early, late]) await expectExpired(as('alice'), token);
  assert.deepEqual(texts(await changes(as('alice'))), ['before the backup', 'lost']);
});

test('where only the records of syncs were restored, a first sync lacks nothing', async (t) => {
  const { as, connection } = await startServer(t);
  const alice = as('alice');
  await alice.create({ Text: 'before the backup' });
  await changes(alice);
  const backup = await dump(connection, ['syncs']);
  for (const Text of ['a', 'b']) {
    await alice.create({ Text });
    await changes(alice);
  }
  await load(connection, backup);

  assert.deepEqual(texts(await changes(alice)), ['a', 'b', 'before the backup']);
});

test('where only tasks were restored, the command makes every device start anew', async (t) => {
  const { as, connection } = await startServer(t);
  for (const name of ['alice', 'bob']) await as(name).create({ Text: `${name}'s` });
  await changes(as('alice'));
  const backup = await dump(connection, ['tasks']);
  await as('alice').create({ Text: 'lost' });
  const tokens = [(await changes(as('alice'))).next, (await changes(as('bob'))).next] as const;
  await load(connection, backup);

  assert.equal(await beginNewHistories(connection), 2);

  await expectExpired(as('alice'), tokens[0]);
  await expectExpired(as('bob'), tokens[1]);
  const first = await changes(as('alice'));
  assert.deepEqual(texts(first), ["alice's"]);
  await as('alice').create({ Text: 'new' });
  assert.deepEqual(texts(await changes(as('alice'), first.next)), ['new']);
});

test('npm run restored says for how many users, and needs nothing but the store', async (t) => {
  const { as, uri } = await startServer(t);
  const { next } = await changes(as('alice'));
  const entry = path.join(import.meta.dirname, '../../src/tasks/restored.ts');
  const env = { ...bareEnv, MONGODB_URI: uri };

  const { stdout } = await promisify(execFile)(process.execPath, [entry], { cwd: await temporaryDirectory(t), env });

  assert.equal(stdout, 'the devices of 1 user(s) will sync from the beginning\n');
  await expectExpired(as('alice'), next);
});

test('npm run restored takes no arguments: it does nothing when asked for help', async (t) => {
  const { as, uri } = await startServer(t);
  const { next } = await changes(as('alice'));
  const entry = path.join(import.meta.dirname, '../../src/tasks/restored.ts');
  const env = { ...bareEnv, MONGODB_URI: uri };

  for (const argument of ['--help', '--dev', 'now']) {
    const command = promisify(execFile)(process.execPath, [entry, argument], { cwd: await temporaryDirectory(t), env });
    await assert.rejects(command, { code: 2, stdout: '', stderr: new RegExp(`^restored: .*${argument}`) });
  }

  assert.deepEqual((await changes(as('alice'), next)).changed, []);
});

type Dump = Record<string, object[]>;

async function dump(connection: Connection, names: string[]): Promise<Dump> {
  const found = names.map(async (name) => [name, await connection.collection(name).find({}).toArray()] as const);
  return Object.fromEntries(await Promise.all(found));
}

async function load(connection: Connection, backup: Dump): Promise<void> {
  for (const [name, documents] of Object.entries(backup)) {
    await connection.collection(name).deleteMany({});
    await connection.collection(name).insertMany(documents);
  }
}
