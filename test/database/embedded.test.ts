import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Database } from '../../src/database/database.ts';
import { StoreStartError } from '../../src/database/store.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { until } from '../support/until.ts';
import { openDatabase, openReady } from './support.ts';

test('embedded:<directory> is a store like any other, and keeps its data', async (t) => {
  const uri = `embedded:${await temporaryDirectory(t)}`;
  const first = await openReady(t, uri);
  await first.notes.insertMany([{ owner: 'alice', number: 1 }]);

  await first.database.close();
  const second = await openReady(t, uri);

  assert.equal((await second.notes.find({ owner: 'alice' }).lean()).length, 1);
  assert.equal(second.database.connection.name, 'tasklist');
});

test('a directory that is in use stops the start, and the message says what to do', async (t) => {
  const directory = await temporaryDirectory(t);
  await openReady(t, `embedded:${directory}`);

  await assert.rejects(openDatabase(t, `embedded:${directory}`), (error) => {
    assert.ok(error instanceof StoreStartError);
    assert.match(error.message, /in use by another process: stop it/);
    return true;
  });
});

test('a path that is no directory stops the start', async (t) => {
  const file = join(await temporaryDirectory(t), 'file');
  await writeFile(file, '');

  await assert.rejects(openDatabase(t, `embedded:${file}`), StoreStartError);
});

test('in production the embedded store is worth a warning', async (t) => {
  const warnings: string[] = [];
  const log = {
    info: () => undefined,
    warn: (_fields: object, message: string) => warnings.push(message),
    error: () => undefined,
  };
  const uri = `embedded:${await temporaryDirectory(t)}`;
  const database = new Database({ uri, clock: Date, log, isProduction: true });
  t.after(() => database.close());

  await database.start();
  await until(() => database.isReady());

  assert.deepEqual(warnings, ['the embedded store is for development: use a MongoDB server in production']);
});

test('the embedded store is never loaded when a server is named', () => {
  const database = pathToFileURL(join(import.meta.dirname, '../../src/database/database.ts')).href;
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const { Database } = await import(${JSON.stringify(database)});
    const log = { info() {}, warn() {}, error() {} };
    const database = new Database({ uri: 'mongodb://127.0.0.1:1/', clock: Date, log });
    await database.start();
    await database.close();
    console.log(loaded.filter((url) => /src.local|sqlite/.test(url)).length, loaded.length > 10);
  `;

  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });

  assert.equal(printed, '0 true\n');
});
