import assert from 'node:assert/strict';
import { test } from 'node:test';
import mongoose from 'mongoose';
import { openStore } from './store.ts';

const { Long, ObjectId } = mongoose.mongo;

const DATE = new Date(1000);
const ID = new ObjectId('0123456789abcdef01234567');
const DOCUMENTS: { _id: string; v?: unknown }[] = [
  { _id: 'int', v: 5 },
  { _id: 'double', v: 5.5 },
  { _id: 'long', v: Long.fromString('9007199254740993') },
  { _id: 'string', v: 'Buy milk' },
  { _id: 'date', v: DATE },
  { _id: 'objectId', v: ID },
  { _id: 'true', v: true },
  { _id: 'null', v: null },
  { _id: 'missing' },
  { _id: 'array', v: [1, 5] },
  { _id: 'nested', v: { a: 1, b: [{ c: 7 }, { c: 8 }] } },
  { _id: 'constructor', v: { constructor: { name: 'x' } } },
];

/** An index over arrays or objects is refused, so the documents that have one stay outside. */
const SCALARS = DOCUMENTS.filter(({ _id }) => !['array', 'nested', 'constructor'].includes(_id));

/** A filter and the ids that MongoDB finds with it in DOCUMENTS. */
const cases: [string, object, string[]][] = [
  ['equality', { v: 5 }, ['int', 'array']],
  ['equality of an integer beyond 2^53', { v: Long.fromString('9007199254740993') }, ['long']],
  ['no equality with its neighbour', { v: Long.fromString('9007199254740992') }, []],
  ['null, which is also what is missing', { v: null }, ['null', 'missing']],
  ['$in with null', { v: { $in: [null, 5.5] } }, ['double', 'null', 'missing']],
  ['$in of several types', { v: { $in: ['Buy milk', DATE] } }, ['string', 'date']],
  ['$ne', { v: { $ne: null }, _id: { $in: ['int', 'null', 'missing'] } }, ['int']],
  ['ranges over values of one type only', { v: { $gt: 4 } }, ['int', 'double', 'long', 'array']],
  ['a range of dates', { v: { $gte: DATE, $lt: new Date(1001) } }, ['date']],
  ['a range of ids', { v: { $lte: ID } }, ['objectId']],
  ['a range of strings', { v: { $gte: 'B', $lt: 'C' } }, ['string']],
  ['$gte null, which is equality', { v: { $gte: null } }, ['null', 'missing']],
  ['$exists', { v: { $exists: false } }, ['missing']],
  ['$or', { $or: [{ v: true }, { v: ID }] }, ['objectId', 'true']],
  ['$and', { $and: [{ v: { $gt: 5 } }, { v: { $lt: 6 } }] }, ['double']],
  ['$or within $and', { $and: [{ $or: [{ v: 5 }, { v: null }] }, { v: { $exists: true } }] }, ['int', 'null', 'array']],
  ['a dotted path', { _id: { $ne: 'array' }, 'v.a': 1 }, ['nested']],
  ['a member named like something inherited', { _id: { $ne: 'array' }, 'v.constructor.name': 'x' }, ['constructor']],
];

test('a filter finds what MongoDB would find', async (t) => {
  const { db } = await openStore(t);
  const plain = db.collection<{ _id: string }>('plain');
  await plain.insertMany(DOCUMENTS);

  for (const [name, filter, expected] of cases) {
    const found = await plain.find(filter).toArray();
    assert.deepEqual(found.map(({ _id }) => _id).sort(), expected.toSorted(), name);
    assert.equal(await plain.countDocuments(filter), expected.length, name);
  }
});

test('a filter finds the same through an index', async (t) => {
  const { db } = await openStore(t);
  const indexed = db.collection<{ _id: string }>('indexed');
  await indexed.insertMany(SCALARS);

  for (const direction of [1, -1] as const) {
    await indexed.createIndexes([{ key: { v: direction } }]);
    for (const [name, filter, expected] of cases.filter(([, filter]) =>
      Object.keys(filter).every((key) => key === 'v'),
    )) {
      const found = await indexed.find(filter).toArray();
      const wanted = expected.filter((id) => id !== 'array').sort();
      assert.deepEqual(found.map(({ _id }) => _id).sort(), wanted, `${name}, index ${direction}`);
      assert.equal(await indexed.countDocuments(filter), wanted.length, `${name}, counted by index ${direction}`);
    }
    await indexed.dropIndex(`v_${direction}`);
  }
});

test('a count may have a limit, with an index or without', async (t) => {
  const { collection } = await openStore(t);
  await collection.insertMany(Array.from({ length: 10 }, (_, n) => ({ n, isOdd: n % 2 === 1 })));
  const count = (filter: object, options: object) => collection.countDocuments(filter, options);

  for (const filter of [{}, { n: { $gte: 0 } }, { isOdd: { $ne: null } }]) {
    assert.equal(await count(filter, {}), 10);
    assert.equal(await count(filter, { limit: 4 }), 4);
    assert.equal(await count(filter, { limit: 20 }), 10);
  }
});

test('documents sort by MongoDB’s order of types, then by value', async (t) => {
  const { db } = await openStore(t);
  const sorted = db.collection<{ _id: string }>('sorted');
  await sorted.insertMany(SCALARS.toReversed());
  const ascending = [...['null', 'missing', 'int', 'double', 'long', 'string'], ...['objectId', 'true', 'date']];

  const inMemory = await sorted.find().sort({ v: 1, _id: -1 }).toArray();
  await sorted.createIndexes([{ key: { v: 1, _id: -1 } }]);
  const byIndex = await sorted.find().sort({ v: 1, _id: -1 }).toArray();
  const backward = await sorted.find().sort({ v: -1, _id: 1 }).toArray();

  assert.deepEqual(
    inMemory.map(({ _id }) => _id),
    ascending,
  );
  assert.deepEqual(byIndex, inMemory);
  assert.deepEqual(backward, inMemory.toReversed());
});

test('skip, limit and projection cut out what they say', async (t) => {
  const { collection } = await openStore(t);
  await collection.insertMany([1, 2, 3, 4, 5].map((n) => ({ n, deep: { a: n, b: n }, list: [{ a: n, b: n }] })));
  const options = { sort: { n: 1 }, skip: 1, limit: 2 } as const;

  const kept = await collection.find({}, { ...options, projection: { _id: 0, n: 1, deep: 1 } }).toArray();

  assert.deepEqual(
    kept,
    [2, 3].map((n) => ({ n, deep: { a: n, b: n } })),
  );
});

test('a projection without the id keeps the rest, and one of the id alone keeps it alone', async (t) => {
  const { collection } = await openStore(t);
  const { insertedId } = await collection.insertOne({ a: 1, b: 2 });

  assert.deepEqual(await collection.findOne({}, { projection: { _id: 0 } }), { a: 1, b: 2 });
  assert.deepEqual(await collection.findOne({}, { projection: { _id: 1 } }), { _id: insertedId });
  assert.deepEqual(await collection.findOne({}, { projection: { a: 1 } }), { _id: insertedId, a: 1 });
});
