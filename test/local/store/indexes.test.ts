import assert from 'node:assert/strict';
import { test } from 'node:test';
import mongoose from 'mongoose';
import { type Collection, countOf, openStore, refusal } from './store.ts';

const { ObjectId } = mongoose.mongo;

interface Explained {
  queryPlanner: {
    winningPlan: { stage: string; inputStage: { stage: string; indexName?: string; inputStage?: unknown } };
  };
  executionStats: { nReturned: number; totalDocsExamined: number };
}

/** The index that a query takes (undefined: none), whether it has to sort by itself, and how many documents it reads. */
async function explain(collection: Collection, filter: object, sort: Record<string, 1 | -1> = {}, limit = 20) {
  const explained = (await collection
    .find(filter)
    .sort(sort)
    .limit(limit)
    .explain('executionStats')) as unknown as Explained;
  const plan = explained.queryPlanner.winningPlan;
  const sorts = plan.stage === 'SORT';
  const scan = (sorts ? plan.inputStage.inputStage : plan.inputStage) as { indexName?: string };
  return { index: scan.indexName, sorts, read: explained.executionStats.totalDocsExamined };
}

async function tasksOfManyOwners(collection: Collection): Promise<{ ids: InstanceType<typeof ObjectId>[] }> {
  await collection.createIndexes([
    { key: { owner: 1, _id: 1 } },
    { key: { owner: 1, deletedAt: 1, date: 1, _id: 1 } },
    { key: { owner: 1, deletedAt: 1, createdAt: -1, _id: 1 } },
  ]);
  const tasks = Array.from({ length: 2000 }, (_, n) => ({
    _id: new ObjectId(),
    owner: `owner ${n % 20}`,
    date: new Date(1000 * ((n * 7919) % 2000)),
    createdAt: new Date(n),
    ...(n % 200 === 0 ? { deletedAt: new Date(5) } : {}),
  }));
  await collection.insertMany(tasks);
  return { ids: tasks.filter(({ owner }) => owner === 'owner 3').map(({ _id }) => _id) };
}

test('one owner’s page is read from an index in its order, whatever the others have', async (t) => {
  const { collection } = await openStore(t);
  await tasksOfManyOwners(collection);
  const live = { owner: 'owner 3', deletedAt: null };
  const byDate = { index: 'owner_1_deletedAt_1_date_1__id_1', sorts: false, read: 20 };
  const byCreation = { index: 'owner_1_deletedAt_1_createdAt_-1__id_1', sorts: false, read: 20 };

  assert.deepEqual(await explain(collection, live, { date: 1, _id: 1 }), byDate);
  assert.deepEqual(await explain(collection, live, { date: -1, _id: -1 }), byDate);
  assert.deepEqual(await explain(collection, live, { createdAt: -1, _id: 1 }), byCreation);
  assert.deepEqual(await explain(collection, live, { createdAt: 1, _id: -1 }), byCreation);
  assert.deepEqual(
    await explain(collection, { ...live, date: { $gte: new Date(500_000) } }, { date: 1, _id: 1 }),
    byDate,
  );
});

test('the next page begins where the last one ended, not at the first task', async (t) => {
  const { collection } = await openStore(t);
  await tasksOfManyOwners(collection);
  const live = { owner: 'owner 3', deletedAt: null };
  const all = await collection.find(live).sort({ date: 1, _id: 1 }).toArray();
  const last = all[69] as unknown as { date: Date; _id: object };
  const next = (operator: string) => ({
    ...live,
    date: { [`${operator}e`]: last.date },
    $or: [{ date: { [operator]: last.date } }, { date: last.date, _id: { [operator]: last._id } }],
  });

  const forward = await explain(collection, next('$gt'), { date: 1, _id: 1 }, 10);
  const backward = await explain(collection, next('$lt'), { date: -1, _id: -1 }, 10);

  assert.ok(forward.read <= 30 && backward.read <= 30, `${forward.read} and ${backward.read} documents were read`);
  const found = await collection.find(next('$gt')).sort({ date: 1, _id: 1 }).limit(10).toArray();
  assert.deepEqual(found, all.slice(70, 80));
});

test('ids in a list are looked up one by one', async (t) => {
  const { collection } = await openStore(t);
  const { ids } = await tasksOfManyOwners(collection);

  const explained = await explain(collection, { owner: 'owner 3', _id: { $in: ids.slice(0, 15) } });

  assert.deepEqual(explained, { index: 'owner_1__id_1', sorts: false, read: 15 });
});

test('one task of one owner is one look-up', async (t) => {
  const { collection } = await openStore(t);
  const { ids } = await tasksOfManyOwners(collection);

  assert.deepEqual(await explain(collection, { owner: 'owner 3', _id: ids[5] }), {
    index: 'owner_1__id_1',
    sorts: false,
    read: 1,
  });
  assert.deepEqual(await explain(collection, { owner: 'owner 4', _id: ids[5] }), {
    index: 'owner_1__id_1',
    sorts: false,
    read: 0,
  });
});

test('a unique index keeps a duplicate out and names it', async (t) => {
  const { collection } = await openStore(t);
  await collection.createIndexes([{ key: { owner: 1, n: -1 }, unique: true }]);
  await collection.insertMany([{ owner: 'a', n: 1 }, { owner: 'a', n: 2 }, { owner: 'b' }]);

  const duplicates = [
    () => collection.insertOne({ owner: 'a', n: 1 }),
    () => collection.updateOne({ owner: 'a', n: 2 }, { $set: { n: 1 } }),
    () => collection.updateOne({ owner: 'a', n: 1, x: 1 }, { $set: { x: 2 } }, { upsert: true }),
  ];
  for (const duplicate of duplicates) {
    await assert.rejects(duplicate(), {
      code: 11000,
      message: 'E11000 duplicate key error collection: test.things index: owner_1_n_-1 dup key: { owner: "a", n: 1 }',
      keyPattern: { owner: 1, n: -1 },
      keyValue: { owner: 'a', n: 1 },
    });
  }
  // What is missing counts as null.
  await assert.rejects(collection.insertOne({ owner: 'b', n: null }), {
    code: 11000,
    keyValue: { owner: 'b', n: null },
  });
  assert.equal(await countOf(collection), 3);
});

test('an id is unique, and equal numbers are one id', async (t) => {
  const { db } = await openStore(t);
  const numbered = db.collection<{ _id: unknown }>('numbered');
  await numbered.insertOne({ _id: 1 });

  await assert.rejects(numbered.insertOne({ _id: new mongoose.mongo.Double(1) }), {
    code: 11000,
    keyPattern: { _id: 1 },
  });
  await numbered.insertOne({ _id: '1' });
});

test('an ordered insert stops at a duplicate, an unordered one goes on', async (t) => {
  const { db } = await openStore(t);
  const numbered = db.collection<{ _id: number }>('numbered');
  const batch = (first: number) => [{ _id: first }, { _id: first }, { _id: first + 1 }];

  await assert.rejects(numbered.insertMany(batch(1)), { code: 11000, insertedCount: 1 });
  await assert.rejects(numbered.insertMany(batch(5), { ordered: false }), { code: 11000, insertedCount: 2 });

  assert.deepEqual(
    (await numbered.find().toArray()).map(({ _id }) => _id),
    [1, 5, 6],
  );
});

test('a partial unique index looks only at the documents that it includes', async (t) => {
  const { collection } = await openStore(t);
  const partialFilterExpression = { key: { $gte: '' } };
  await collection.createIndexes([{ key: { owner: 1, key: 1 }, unique: true, partialFilterExpression }]);

  await collection.insertMany([{ owner: 'a' }, { owner: 'a' }, { owner: 'a', key: 5 }, { owner: 'a', key: 5 }]);
  await collection.insertOne({ owner: 'a', key: 'k' });
  await assert.rejects(collection.insertOne({ owner: 'a', key: 'k' }), { code: 11000 });
  await assert.rejects(collection.updateOne({ key: 5 }, { $set: { key: 'k' } }), { code: 11000 });
  await collection.updateOne({ key: 'k' }, { $unset: { key: '' } });
  await collection.insertOne({ owner: 'a', key: 'k' });

  // The index holds one of six documents: a query that all belong to must not read it.
  assert.equal((await collection.find({ owner: 'a' }).toArray()).length, 6);
});

test('a unique index over duplicates is not made', async (t) => {
  const { collection } = await openStore(t);
  await collection.insertMany([{ a: 1 }, { a: 1 }]);

  await assert.rejects(collection.createIndexes([{ key: { b: 1 } }, { key: { a: 1 }, unique: true }]), { code: 11000 });

  // Nothing of a failed command stays, not even the index that could be made.
  assert.deepEqual(
    (await collection.indexes()).map(({ name }) => name),
    ['_id_'],
  );
  await collection.insertOne({ a: 1 });
});

test('a document expires by the clock, and not before', async (t) => {
  const { collection, clock } = await openStore(t);
  await collection.createIndexes([{ key: { at: 1 }, expireAfterSeconds: 60 }]);
  const now = clock.now();
  await collection.insertMany([
    { name: 'first', at: new Date(now) },
    { name: 'second', at: new Date(now + 1000) },
    { name: 'no date', at: 'yesterday' },
    { name: 'none' },
  ]);
  const names = async () => (await collection.find().sort({ name: 1 }).toArray()).map(({ name }) => String(name));

  clock.advance(59_999);
  assert.deepEqual(await names(), ['first', 'no date', 'none', 'second']);
  clock.advance(1000);
  assert.deepEqual(await names(), ['no date', 'none', 'second']);
  clock.advance(1000);
  assert.deepEqual(await names(), ['no date', 'none']);
});

test('many documents that expire at once are gone within a few commands', async (t) => {
  const { collection, clock, db } = await openStore(t);
  await collection.createIndexes([{ key: { at: 1 }, expireAfterSeconds: 60 }]);
  await collection.insertMany(Array.from({ length: 500 }, (_, n) => ({ n, at: new Date(clock.now()) })));
  await collection.insertOne({ name: 'none' });

  clock.advance(60_000);
  for (let commands = 0; commands < 3; commands++) await db.command({ ping: 1 });

  assert.equal(await countOf(collection), 1);
});

test('an expired document does not keep its key from a new one', async (t) => {
  const { collection, clock } = await openStore(t);
  await collection.createIndexes([
    { key: { key: 1 }, unique: true },
    { key: { at: -1 }, expireAfterSeconds: 10 },
  ]);
  await collection.insertOne({ key: 'k', at: new Date(clock.now()) });

  clock.advance(10_000);
  await collection.insertOne({ key: 'k', at: new Date(clock.now()) });

  assert.equal(await countOf(collection), 1);
});

test('declaring an index again changes nothing; declaring another one in its place is refused', async (t) => {
  const { collection } = await openStore(t);
  const index = { key: { a: 1 }, name: 'by_a', unique: true } as const;
  await collection.createIndexes([index]);
  await collection.createIndexes([index]);

  await assert.rejects(collection.createIndexes([{ ...index, name: 'other' }]), refusal(85, 'by_a'));
  await assert.rejects(collection.createIndexes([{ ...index, unique: false }]), refusal(85, 'by_a'));
  await assert.rejects(collection.createIndexes([{ ...index, key: { b: 1 } }]), refusal(86, 'by_a'));

  assert.deepEqual(await collection.indexes(), [
    { v: 2, key: { _id: 1 }, name: '_id_' },
    { v: 2, key: { a: 1 }, name: 'by_a', unique: true },
  ]);
});

test('an index is dropped by name', async (t) => {
  const { collection } = await openStore(t);
  await collection.createIndexes([{ key: { a: 1 } }, { key: { b: 1 } }]);

  await collection.dropIndex('a_1');
  await assert.rejects(collection.dropIndex('a_1'), refusal(27, 'a_1'));
  await assert.rejects(collection.dropIndex('_id_'), refusal(72, '_id'));
  assert.equal((await collection.indexes()).length, 2);
});

test('an array or an object under an indexed path is refused rather than indexed wrongly', async (t) => {
  const { collection } = await openStore(t);
  await collection.createIndexes([{ key: { a: 1 } }]);

  await assert.rejects(collection.insertOne({ a: [1] }), refusal(238, 'a_1'));
  await assert.rejects(collection.insertOne({ a: { b: 1 } }), refusal(238, 'object'));
  await collection.insertOne({ a: 5 });

  assert.equal(await countOf(collection, { a: { $ne: null } }), 1);
});
