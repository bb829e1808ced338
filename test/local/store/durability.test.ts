import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { EmbeddedStoreError, startEmbeddedStore } from '../../../src/local/store/index.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { killHard, nextLine, startProcess } from './process.ts';
import { connect, countOf } from './store.ts';

/** What there is in the collection that writer.ts fills. */
async function readNumbers(t: TestContext, directory: string): Promise<Set<number>> {
  const store = await startEmbeddedStore({ directory });
  t.after(() => store.close());
  const client = await connect(t, store.uri);
  const found = await client.db('test').collection<{ _id: number }>('numbers').find().toArray();
  return new Set(found.map(({ _id }) => _id));
}

/** A directory with a store of 500 documents, closed. */
async function filledDirectory(t: TestContext): Promise<{ directory: string; file: string }> {
  const directory = await temporaryDirectory(t);
  const store = await startEmbeddedStore({ directory });
  const client = await connect(t, store.uri);
  const documents = Array.from({ length: 500 }, (_, n) => ({ n, text: 'x'.repeat(500) }));
  await client.db('test').collection('things').insertMany(documents);
  await client.close();
  await store.close();
  return { directory, file: join(directory, 'store.sqlite') };
}

async function expectRefused(directory: string, message: RegExp): Promise<void> {
  await assert.rejects(startEmbeddedStore({ directory }), (error) => {
    assert.ok(error instanceof EmbeddedStoreError);
    assert.match(error.message, message);
    return true;
  });
}

test('kill -9 loses nothing that was acknowledged', async (t) => {
  const directory = await temporaryDirectory(t);
  const acknowledged: number[] = [];
  // The second process meets what the first one left behind, and is killed in turn.
  for (const first of [1, 100_001]) {
    const writer = startProcess(t, directory, 'write', first);
    await nextLine(writer);
    for (let n = 0; n < 40; n++) acknowledged.push(Number(await nextLine(writer)));
    await killHard(writer);
  }

  const found = await readNumbers(t, directory);

  assert.equal(acknowledged.length, 80);
  assert.deepEqual(
    acknowledged.filter((n) => !found.has(n)),
    [],
  );
});

test('a second process is told who has the directory, and may share it by its address', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = startProcess(t, directory);
  const uri = await nextLine(first);

  await expectRefused(
    directory,
    /is in use by another process: stop it, choose another directory, or connect to the address/,
  );

  const client = await connect(t, uri);
  await client.db('test').collection('things').insertOne({ a: 1 });
  await client.close();
  await killHard(first);
  const store = await startEmbeddedStore({ directory });
  t.after(() => store.close());
  assert.equal(await countOf((await connect(t, store.uri)).db('test').collection('things')), 1);
});

test('the same process cannot open a directory twice either', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await startEmbeddedStore({ directory });

  await expectRefused(directory, /is in use by another process/);

  await store.close();
  await (await startEmbeddedStore({ directory })).close();
});

test('opening and closing prints nothing, warnings of Node included', async (t) => {
  const writer = startProcess(t, await temporaryDirectory(t), 'close');
  await once(writer.child, 'close');

  assert.equal(writer.errors(), '');
});

test('a file of another format is named, and left as it is', async (t) => {
  const { directory, file } = await filledDirectory(t);
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = DELETE; PRAGMA user_version = 2');
  db.close();
  const before = await readFile(file);

  await expectRefused(
    directory,
    /has format 2, and this release reads and writes format 1: start the release that wrote it/,
  );

  assert.deepEqual(await readFile(file), before);
});

test('a database of another application is named, and left as it is', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'store.sqlite');
  const db = new DatabaseSync(file);
  db.exec('CREATE TABLE customers (id INTEGER)');
  db.close();
  const before = await readFile(file);

  await expectRefused(directory, /is not a store of this application/);

  assert.deepEqual(await readFile(file), before);
});

const damages: Record<string, (file: string) => Promise<void>> = {
  'cut short': async (file) => truncate(file, Math.floor((await stat(file)).size / 2 / 4096) * 4096),
  'cut within its first page': (file) => truncate(file, 50),
  empty: (file) => truncate(file, 0),
  'something else': (file) => writeFile(file, 'this is not a database, whatever its name says'.repeat(100)),
  'overwritten in the middle': async (file) => {
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(0xa5, 8192, 12_288 + 4096));
  },
};
for (const [damage, apply] of Object.entries(damages)) {
  test(`a file that is ${damage} is reported, and left as it is`, async (t) => {
    const { directory, file } = await filledDirectory(t);
    await apply(file);
    const before = await readFile(file);

    await expectRefused(directory, /is damaged .*Nothing was changed: restore it from a copy, or move it away/s);

    assert.deepEqual(await readFile(file), before);
  });
}

test('a log without its file is reported, and left as it is', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'store.sqlite-wal'), 'the rest of it is gone');

  await expectRefused(directory, /is damaged \(it is missing beside its write-ahead log\)/);

  assert.deepEqual(await readdir(directory), ['store.sqlite-wal']);
});

test('a log with a torn end gives up no more than what was not acknowledged', async (t) => {
  const directory = await temporaryDirectory(t);
  const writer = startProcess(t, directory, 'write');
  await nextLine(writer);
  for (let n = 0; n < 20; n++) await nextLine(writer);
  await killHard(writer);
  const copy = await temporaryDirectory(t);
  for (const name of ['store.sqlite', 'store.sqlite-wal']) await copyFile(join(directory, name), join(copy, name));
  const log = join(copy, 'store.sqlite-wal');
  await writeFile(log, Buffer.concat([await readFile(log), Buffer.alloc(5000, 0x5a)]));

  const [whole, torn] = [await readNumbers(t, directory), await readNumbers(t, copy)];

  assert.deepEqual(torn, whole);
});

test('a directory that cannot be made or written is named with what to do', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'file'), '');
  await mkdir(join(directory, 'taken', 'store.sqlite'), { recursive: true });

  await expectRefused(
    join(directory, 'file', 'below'),
    /cannot be written .*make it writable for this user, or choose another/,
  );
  await expectRefused(join(directory, 'taken'), /cannot be written/);
});

test('after a restart, deleted documents are still gone and indexes are still there', async (t) => {
  const directory = await temporaryDirectory(t);
  const open = async () => {
    const store = await startEmbeddedStore({ directory });
    const client = await connect(t, store.uri);
    return {
      store,
      client,
      things: client.db('test').collection('things'),
      close: async () => {
        await client.close();
        await store.close();
      },
    };
  };
  const first = await open();
  await first.things.createIndexes([{ key: { a: 1 }, unique: true }]);
  await first.things.insertMany([{ a: 1 }, { a: 2 }]);
  await first.things.deleteOne({ a: 1 });
  await first.close();

  const second = await open();
  assert.deepEqual(
    (await second.things.find().toArray()).map(({ a }) => a as number),
    [2],
  );
  await assert.rejects(second.things.insertOne({ a: 2 }), { code: 11000 });
  await second.close();
});
