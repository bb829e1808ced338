import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { UsageError } from '../../src/commandLine.ts';
import { startEmbeddedStore } from '../../src/local/store/index.ts';
import { parseCommand } from '../../src/people/commands.ts';
import { testDatabase } from '../support/database.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { bareEnv } from '../support/process.ts';
import { startServer, type TestServer } from '../support/server.ts';

const CLI = join(import.meta.dirname, '../../src/people/cli.ts');

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** The command as an operator runs it, in a folder that holds nothing but, perhaps, a `.env`. */
async function users(t: TestContext, uri: string | undefined, args: string[], envFile = ''): Promise<Outcome> {
  const cwd = await temporaryDirectory(t);
  if (envFile !== '') await writeFile(join(cwd, '.env'), envFile);
  const env = { ...bareEnv, ...(uri !== undefined && { MONGODB_URI: uri }) };
  return await new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { cwd, env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, stdout, stderr });
    });
  });
}

/** Alice has one of everything that is ever stored about a person. */
async function fill({ as }: TestServer): Promise<void> {
  const alice = as('alice-oid', { name: 'Alice' });
  await alice.create({ Text: 'a secret of Alice' });
  const { _id } = await alice.create({ Text: 'deleted soon' });
  await alice.delete(`/api/tasks/${_id}`);
  await alice.post('/api/tasks', { Text: 'made once' }, { 'Idempotency-Key': 'key-1' });
  assert.equal((await alice.get('/api/tasks/changes')).status, 200);
  await as('bob-oid').create({ Text: 'what Bob must do' });
}

/** Every document of the database that holds this text anywhere, by collection. */
async function documentsWith({ connection }: TestServer, text: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const collectionName of Object.keys(connection.collections)) {
    const documents = await connection.collection(collectionName).find({}).toArray();
    const count = documents.filter((document) => JSON.stringify(document).includes(text)).length;
    if (count > 0) found[collectionName] = count;
  }
  return found;
}

describe('npm run users', { concurrency: true }, () => {
  test('add, show and list say who may call', async (t) => {
    const { uri } = await testDatabase(t);

    const added = await users(t, uri, ['add', 'alice-oid', '--name', 'Alice']);
    const again = await users(t, uri, ['add', 'alice-oid']);
    const shown = await users(t, uri, ['show', 'alice-oid']);
    const listed = await users(t, uri, ['list']);

    assert.deepEqual(added, { code: 0, stdout: 'added alice-oid\n', stderr: '' });
    assert.deepEqual(again, { code: 0, stdout: 'alice-oid was already there\n', stderr: '' });
    const { firstSeen, ...user } = JSON.parse(shown.stdout) as Record<string, unknown>;
    assert.deepEqual(user, { oid: 'alice-oid', name: 'Alice' });
    assert.match(String(firstSeen), /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(JSON.parse(listed.stdout), { ...user, firstSeen });
  });

  test('a name that a terminal would obey is shown as escapes, which are the same JSON', async (t) => {
    const { uri } = await testDatabase(t);
    const name = 'Alice\u001b[2J\u009b31m\u202e';
    await users(t, uri, ['add', 'alice-oid', '--name', name]);

    for (const args of [['list'], ['show', 'alice-oid']]) {
      const { stdout } = await users(t, uri, args);

      assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\p{Cc}\u202e]/u);
      assert.equal((JSON.parse(stdout) as { name: string }).name, name);
    }
  });

  test('a user who was added may call with AUTO_REGISTER=false', async (t) => {
    const { as, uri } = await startServer(t, { env: { AUTO_REGISTER: 'false' } });

    await users(t, uri, ['add', 'alice-oid']);

    assert.equal((await as('alice-oid').get('/api/tasks')).status, 200);
    assert.equal((await as('bob-oid').get('/api/tasks')).status, 403);
  });

  test('export hands over everything that is stored about a person, and nothing of anyone else', async (t) => {
    const server = await startServer(t);
    await fill(server);

    const { code, stdout } = await users(t, server.uri, ['export', 'alice-oid']);

    assert.equal(code, 0);
    const exported = JSON.parse(stdout) as Record<'users' | 'tasks' | 'creations' | 'syncs', Record<string, unknown>[]>;
    assert.equal(exported.users[0]?.['name'], 'Alice');
    const texts = exported.tasks.map(({ Text }) => Text).filter((text) => text !== undefined);
    assert.deepEqual(texts.sort(), ['a secret of Alice', 'made once']);
    assert.equal(exported.tasks.filter(({ deletedAt }) => deletedAt !== undefined).length, 1);
    assert.equal(exported.creations.length, 1);
    assert.equal(exported.syncs.length, 1);
    assert.doesNotMatch(stdout, /bob-oid|what Bob must do/);
  });

  test('erase leaves nothing of a person in any collection, and everyone else as they were', async (t) => {
    const server = await startServer(t);
    await fill(server);
    const bobBefore = await documentsWith(server, 'bob-oid');

    const erased = await users(t, server.uri, ['erase', 'alice-oid']);
    const again = await users(t, server.uri, ['erase', 'alice-oid']);

    assert.deepEqual(erased, {
      code: 0,
      stdout: 'creations: 1 erased\ntasks: 3 erased\nsyncs: 1 erased\nusers: 1 erased\n',
      stderr: '',
    });
    assert.equal(again.code, 0);
    assert.match(again.stdout, /^tasks: 0 erased$/m);
    assert.deepEqual(await documentsWith(server, 'alice-oid'), {});
    assert.deepEqual(await documentsWith(server, 'bob-oid'), bobBefore);
  });

  test('a user of whom nothing is stored can be neither shown nor exported', async (t) => {
    const { uri } = await testDatabase(t);

    for (const verb of ['show', 'export']) {
      const outcome = await users(t, uri, [verb, 'nobody']);
      assert.deepEqual(outcome, { code: 1, stdout: '', stderr: 'users: nothing is stored about nobody\n' });
    }
  });

  test('a GUID names the same person whatever the case of its letters', async (t) => {
    const { as, uri } = await startServer(t);
    const [oldId, newId] = ['7f0c1b54-5a0e-4f7e-9c39-5d1f7b6f8a10', '0d2a4c6e-8b1f-4a3c-9e5d-7f6b8a9c0d1e'];
    await as(oldId).create({ Text: 'moved' });

    const moved = await users(t, uri, ['move', oldId.toUpperCase(), newId.toUpperCase()]);
    const tasks = await as(newId).list();
    const shown = await users(t, uri, ['show', newId.toUpperCase()]);
    const ontoOneself = await users(t, uri, ['move', newId, newId.toUpperCase()]);
    const erased = await users(t, uri, ['erase', newId.toUpperCase()]);

    assert.deepEqual(moved, { code: 0, stdout: `1 tasks moved to ${newId}\n`, stderr: '' });
    assert.deepEqual(
      tasks.map(({ Text }) => Text),
      ['moved'],
    );
    assert.equal((JSON.parse(shown.stdout) as { oid: string }).oid, newId);
    assert.equal(ontoOneself.code, 2);
    assert.match(ontoOneself.stderr, /^users: the two oids of a move are the same/);
    assert.match(erased.stdout, /^tasks: 1 erased$/m);
    assert.deepEqual(await as(newId).list(), []);
  });

  test('an embedded store is managed while no server runs on it, and left alone while one does', async (t) => {
    const directory = await temporaryDirectory(t);
    const uri = `embedded:${directory}`;

    const added = await users(t, uri, ['add', 'alice-oid']);
    const store = await startEmbeddedStore({ directory });
    t.after(() => store.close());
    const refused = await users(t, uri, ['list']);
    await store.close();
    const listed = await users(t, uri, ['list']);

    assert.equal(added.code, 0, added.stderr);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /in use by another process: stop it/);
    assert.match(listed.stdout, /alice-oid/);
  });

  test('the .env of the server serves the command, without the variables of the tenant', async (t) => {
    const { uri } = await testDatabase(t);

    const outcome = await users(t, undefined, ['list'], `MONGODB_URI=${uri}\n`);

    assert.deepEqual(outcome, { code: 0, stdout: '', stderr: '' });
  });

  const failing = {
    'no MONGODB_URI': { uri: undefined, message: /^users: MONGODB_URI is not set, expected mongodb:/ },
    'a MONGODB_URI of another form': {
      uri: 'postgres://u:hunter2@127.0.0.1/',
      message: /MONGODB_URI is malformed/,
    },
    'a server that is not there': {
      uri: 'mongodb://u:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=5000',
      message: /the store cannot be reached: connect ECONNREFUSED 127.0.0.1:1/,
    },
  };
  for (const [reason, { uri, message }] of Object.entries(failing)) {
    test(`${reason} is exit code 1 and a message without the password`, async (t) => {
      const { code, stdout, stderr } = await users(t, uri, ['list']);

      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /hunter2/);
    });
  }

  test('a command line that is not understood is exit code 2, the reason and the usage, and needs no store', async (t) => {
    const { code, stdout, stderr } = await users(t, undefined, ['delete', 'alice']);

    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.ok(stderr.startsWith('users: "delete alice" is not a command\n\nusage: npm run -s users'), stderr);
  });

  const bad = {
    'the command is missing': [],
    'erase needs an oid': ['erase'],
    'add needs an oid': ['add', ' '],
    'move needs two oids': ['move', 'alice'],
    'the two oids of a move are the same': ['move', 'alice', 'alice'],
    'unexpected argument "bob"': ['erase', 'alice', 'bob'],
    '"list bob" is not a command': ['list', 'bob'],
    '--name only goes with add': ['show', 'alice', '--name', 'Alice'],
    "Unknown option '--all'": ['erase', '--all'],
  };
  for (const [reason, args] of Object.entries(bad)) {
    test(`"${args.join(' ')}" is not understood: ${reason}`, () => {
      assert.throws(
        () => parseCommand(args),
        (error) => error instanceof UsageError && error.message.startsWith(reason),
      );
    });
  }
});
