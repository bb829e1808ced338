import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startEmbeddedStore } from '../../../src/local/store/index.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { connect, countOf, openStore, refusal } from './store.ts';

const MANY = 10_000;

/** A collection that takes longer than one turn to read. */
async function openLarge(t: TestContext) {
  const opened = await openStore(t);
  const documents = Array.from({ length: MANY }, (_, n) => ({ n, text: `the text of document ${n}` }));
  await opened.collection.insertMany(documents);
  return opened;
}

type Large = Awaited<ReturnType<typeof openLarge>>;

const long: Record<string, (large: Large) => Promise<unknown>> = {
  'reading all that a filter leaves out': ({ collection }) => collection.find({ text: 'nothing' }).toArray(),
  'sorting without an index': ({ collection }) => collection.find().sort({ text: -1 }).limit(3).toArray(),
  'changing many documents': ({ collection }) => collection.updateMany({}, { $set: { a: 1 } }),
  'deleting many documents': ({ collection }) => collection.deleteMany({ text: { $gt: 'the' } }),
  'writing many documents': ({ collection }) =>
    collection.bulkWrite(
      Array.from({ length: MANY / 4 }, (_, n) => ({ insertOne: { document: { n } } })),
      { ordered: false },
    ),
};
for (const [name, run] of Object.entries(long)) {
  test(`others are answered during ${name}`, async (t) => {
    const large = await openLarge(t);
    const other = await connect(t, large.uri);
    let isDone = false;

    const running = run(large).then(() => (isDone = true));
    await other.db('test').command({ ping: 1 });

    assert.equal(isDone, false);
    await running;
  });
}

test('what others write during a long read does not make it skip or repeat what stays put', async (t) => {
  const { collection } = await openLarge(t);
  const reading = collection
    .find({ text: { $gte: 'the text' } })
    .sort({ text: 1, n: 1 })
    .toArray();

  await collection.deleteMany({ n: { $gte: MANY - 10 } });
  await collection.insertOne({ n: -1, text: 'no match' });

  const numbers = (await reading).map(({ n }) => n as number).filter((n) => n < MANY - 10);
  assert.equal(numbers.length, MANY - 10);
  assert.equal(new Set(numbers).size, MANY - 10);
});

test('a change that moves a document into the path of the scan is made once', async (t) => {
  const { collection } = await openStore(t);
  await collection.createIndexes([{ key: { n: 1 } }]);
  await collection.insertMany(Array.from({ length: 500 }, (_, n) => ({ n })));

  const result = await collection.updateMany({ n: { $gte: 0 } }, { $set: { n: 1000 } });

  assert.equal(result.modifiedCount, 500);
  assert.equal(result.matchedCount, 500);
  assert.equal(await countOf(collection, { n: 1000 }), 500);
});

test('many who change the same documents change each one after the other', async (t) => {
  const { collection } = await openLarge(t);

  await Promise.all(['a', 'b', 'c'].map((name) => collection.updateMany({}, { $set: { [name]: true } })));

  assert.equal(await countOf(collection, { a: true, b: true, c: true }), MANY);
});

const limited: Record<string, (large: Large) => Promise<unknown>> = {
  find: ({ collection }) => collection.find({ text: 'nothing' }, { maxTimeMS: 1 }).toArray(),
  explain: ({ db }) => db.command({ explain: { find: 'things', filter: { text: 'nothing' } }, maxTimeMS: 1 }),
  update: ({ collection }) => collection.updateMany({}, { $set: { a: 1 } }, { maxTimeMS: 1 }),
  delete: ({ collection }) => collection.deleteMany({ text: 'nothing' }, { maxTimeMS: 1 }),
};
for (const [name, run] of Object.entries(limited)) {
  test(`${name} is given up when it takes longer than its maxTimeMS`, async (t) => {
    await assert.rejects(run(await openLarge(t)), refusal(50, 'exceeded time limit'));
  });
}

test('closing interrupts what takes long, and what it has done until then is kept', async (t) => {
  const directory = await temporaryDirectory(t);
  const open = async () => {
    const store = await startEmbeddedStore({ directory });
    t.after(() => store.close());
    const client = await connect(t, store.uri);
    return { ...store, things: client.db('test').collection('things') };
  };
  const first = await open();
  await first.things.insertMany(Array.from({ length: MANY }, (_, n) => ({ n })));
  const other = (await connect(t, first.uri)).db('test');
  await other.command({ ping: 1 });
  const interrupted = assert.rejects(
    first.things.updateMany({}, { $set: { isDone: true } }),
    refusal(11600, 'shutdown'),
  );
  await other.command({ ping: 1 });

  await first.close();

  await interrupted;
  const second = await open();
  const [done, all] = [await countOf(second.things, { isDone: true }), await countOf(second.things)];
  assert.equal(all, MANY);
  assert.ok(done > 0 && done < MANY, `${done} are done`);
});
