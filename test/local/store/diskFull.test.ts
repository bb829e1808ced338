import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { deserialize, type Document, serialize } from 'bson';
import { Catalog } from '../../../src/local/store/catalog.ts';
import { Cursors } from '../../../src/local/store/cursors.ts';
import { Executor } from '../../../src/local/store/executor.ts';
import { openFile } from '../../../src/local/store/file.ts';
import { Storage } from '../../../src/local/store/storage.ts';
import { OP_MSG } from '../../../src/local/store/wire.ts';
import { temporaryDirectory } from '../../support/directory.ts';

/** A store without its socket whose file may grow by that many pages (4 KiB each). Commands given together share a commit. */
async function openSmallDisk(t: TestContext, pages: number) {
  const db = openFile(await temporaryDirectory(t));
  const { page_count: used } = db.prepare('PRAGMA page_count').get() as { page_count: number };
  db.exec(`PRAGMA max_page_count = ${used + pages}`);
  const storage = new Storage(db);
  t.after(() => {
    storage.close();
  });
  const catalog = new Catalog(storage);
  const engine = { storage, catalog, cursors: new Cursors(), clock: Date };
  const errors: string[] = [];
  const log = {
    warn: () => undefined,
    info: () => undefined,
    error: (_: object, text: string) => void errors.push(text),
  };
  const executor = new Executor(engine, log);
  const run = async (command: Document): Promise<Document> => {
    const body = serialize({ ...command, $db: 'test' });
    const message = { requestId: 1, opCode: OP_MSG, body, sequences: new Map<string, []>(), moreToCome: false };
    return deserialize(await executor.run(message));
  };
  return { run, errors };
}

const insert = (_id: number, bytes = 10): Document => ({
  insert: 'things',
  documents: [{ _id, text: 'x'.repeat(bytes) }],
});

test('on a full disk, what was acknowledged is there, what was refused is not, and reading goes on', async (t) => {
  const { run, errors } = await openSmallDisk(t, 40);
  await run(insert(1));

  const replies = await Promise.all([
    run(insert(2)),
    run(insert(3, 1_000_000)),
    run(insert(4)),
    run({ find: 'things', filter: { _id: 1 } }),
  ]);
  const after = await run(insert(5));

  const acknowledged = replies.slice(0, 3).flatMap((reply, at) => (reply['ok'] === 1 ? [at + 2] : []));
  const refused = replies.filter((reply) => reply['ok'] !== 1);
  assert.ok(refused.length > 0 && !acknowledged.includes(3));
  assert.ok(refused.every(({ code, codeName }) => code === 14031 && codeName === 'OutOfDiskSpace'));
  assert.equal(after['ok'], 1);
  const { cursor } = (await run({ find: 'things' })) as { cursor: { firstBatch: { _id: number }[] } };
  assert.deepEqual(
    cursor.firstBatch.map(({ _id }) => _id),
    [1, ...acknowledged, 5],
  );
  assert.ok(errors.every((text) => text === 'the disk is full'));
});

test('a collection that did not fit on the disk is not there afterwards', async (t) => {
  const { run } = await openSmallDisk(t, 40);

  assert.equal((await run(insert(1, 1_000_000)))['code'], 14031);

  assert.equal((await run({ listIndexes: 'things' }))['code'], 26);
  assert.equal((await run(insert(1)))['n'], 1);
});
