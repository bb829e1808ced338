import assert from 'node:assert/strict';
import { test } from 'node:test';
import mongoose from 'mongoose';
import { connect, countOf, openStore, refusal } from './store.ts';

const { ObjectId } = mongoose.mongo;

test('of many writers that compare and swap the same version, exactly one wins', async (t) => {
  const { uri, collection } = await openStore(t);
  const clients = await Promise.all([connect(t, uri), connect(t, uri)]);
  const version = new ObjectId();
  const { insertedId: _id } = await collection.insertOne({ owner: 'alice', version });

  const results = await Promise.all(
    Array.from({ length: 30 }, (_, writer) => {
      const things = clients[writer % 2]?.db('test').collection('things') ?? collection;
      return things.replaceOne({ owner: 'alice', _id, version }, { owner: 'alice', writer, version: new ObjectId() });
    }),
  );

  const winners = results.flatMap(({ modifiedCount }, writer) => (modifiedCount === 1 ? [writer] : []));
  assert.equal(winners.length, 1);
  assert.equal((await collection.findOne({ _id }))?.['writer'], winners[0]);
});

test('many upserts of the same document at once make one', async (t) => {
  const { collection } = await openStore(t);
  await collection.createIndexes([{ key: { oid: 1 }, unique: true }]);

  const upserts = Array.from({ length: 20 }, (_, n) =>
    collection.updateOne({ oid: 'alice' }, { $set: { n }, $setOnInsert: { first: n } }, { upsert: true }),
  );
  const results = await Promise.all(upserts);

  assert.equal(results.filter(({ upsertedCount }) => upsertedCount === 1).length, 1);
  assert.equal(await countOf(collection), 1);
});

test('a cursor fetches batch after batch, and neither skips nor repeats what stays put', async (t) => {
  const { collection } = await openStore(t);
  await collection.createIndexes([{ key: { n: 1 } }]);
  await collection.insertMany(Array.from({ length: 1000 }, (_, n) => ({ n: n * 2 })));
  const seen: number[] = [];

  for await (const { n } of collection.find().sort({ n: 1 }).batchSize(50)) {
    seen.push(n as number);
    // Others write between the batches, before and behind the place where the cursor is.
    if (seen.length % 100 === 0) await collection.insertOne({ n: Number(n) - 51 });
    if (seen.length % 100 === 50) await collection.deleteOne({ n: Number(n) - 40 });
  }

  assert.deepEqual(
    seen.filter((n) => n % 2 === 0),
    Array.from({ length: 1000 }, (_, n) => n * 2),
  );
});

test('a cursor that was killed or given up is not found', async (t) => {
  const { collection, db, clock } = await openStore(t);
  await collection.insertMany(Array.from({ length: 300 }, (_, n) => ({ n })));
  const open = async () => {
    const { cursor } = (await db.command({ find: 'things', batchSize: 10 })) as { cursor: { id: unknown } };
    return cursor.id;
  };
  const more = (id: unknown) => db.command({ getMore: id, collection: 'things', batchSize: 10 });

  const killed = await open();
  await db.command({ killCursors: 'things', cursors: [killed] });
  await assert.rejects(more(killed), refusal(43, 'not found'));

  const idle = await open();
  clock.advance(10 * 60_000 + 1);
  await open();
  await assert.rejects(more(idle), refusal(43, 'not found'));
});

test('an answer is refused when what it is read from is dropped, for half of it would look like all', async (t) => {
  const { collection } = await openStore(t);
  await collection.createIndexes([{ key: { n: 1 } }]);
  await collection.insertMany(Array.from({ length: 300 }, (_, n) => ({ n })));
  const cursor = collection.find().sort({ n: 1 }).batchSize(10);
  await cursor.next();

  await collection.dropIndex('n_1');

  await assert.rejects(cursor.toArray(), refusal(175, 'dropped'));
});

test('lists and single batches leave no cursor behind', async (t) => {
  const { collection, db } = await openStore(t);
  await collection.insertMany(Array.from({ length: 5 }, (_, n) => ({ n })));
  const first = async (command: object) => {
    const { cursor } = (await db.command({ find: 'things', ...command })) as { cursor: { id: unknown } };
    return Number(cursor.id) === 0;
  };

  assert.equal(await first({ batchSize: 5 }), true);
  assert.equal(await first({ batchSize: 2, singleBatch: true }), true);
  assert.equal(await first({ limit: 2 }), true);
  assert.equal(await first({ batchSize: 4 }), false);
  assert.equal(await first({ batchSize: 0 }), false);
});
