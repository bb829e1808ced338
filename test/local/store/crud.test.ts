import assert from 'node:assert/strict';
import { test } from 'node:test';
import mongoose from 'mongoose';
import { openStore } from './store.ts';

const { ObjectId } = mongoose.mongo;

test('what is inserted is found again, with every type as it was', async (t) => {
  const { collection } = await openStore(t);
  const document = {
    _id: new ObjectId(),
    text: 'Milch für "alle"\u0000',
    count: 5,
    ratio: 0.5,
    at: new Date(1_700_000_000_123),
    done: false,
    nothing: null,
    nested: { list: [1, 'two', { three: 3 }] },
    bytes: new mongoose.mongo.Binary(Buffer.from([0, 1, 255])),
    big: mongoose.mongo.Long.fromString('9007199254740993'),
    decimal: mongoose.mongo.Decimal128.fromString('1.10'),
  };

  const { insertedId } = await collection.insertOne(document);

  assert.deepEqual(insertedId, document._id);
  assert.deepEqual(await collection.findOne({ _id: document._id }), document);
});

test('a document without an id gets one, and it comes first', async (t) => {
  const { db, collection } = await openStore(t);

  await db.command({ insert: 'things', documents: [{ a: 1 }] });

  const found = await collection.findOne();
  assert.deepEqual(Object.keys(found ?? {}), ['_id', 'a']);
  assert.ok(found?._id instanceof ObjectId);
});

test('an update changes what it names and nothing else, not even the type of a number', async (t) => {
  const { db, collection } = await openStore(t);
  const { Double, Long, Int32 } = mongoose.mongo;
  await collection.insertOne({ double: new Double(1), long: Long.fromNumber(2), int: 3, list: [1], a: { b: 1 } });

  const result = await collection.updateOne({ int: 3 }, { $set: { int: 4, more: 'new' }, $unset: { list: '' } });

  assert.equal(result.matchedCount, 1);
  assert.equal(result.modifiedCount, 1);
  const found = await db.collection('things', { promoteValues: false }).findOne({}, { projection: { _id: 0 } });
  assert.deepEqual(found, {
    double: new Double(1),
    long: Long.fromNumber(2),
    int: new Int32(4),
    a: { b: new Int32(1) },
    more: 'new',
  });
});

test('replacing keeps the id and drops the rest', async (t) => {
  const { collection } = await openStore(t);
  const { insertedId } = await collection.insertOne({ a: 1, b: 2 });

  await collection.replaceOne({ a: 1 }, { c: 3 });

  assert.deepEqual(await collection.find().toArray(), [{ _id: insertedId, c: 3 }]);
});

test('an upsert inserts once what its filter, $set and $setOnInsert say, and updates after that', async (t) => {
  const { collection } = await openStore(t);
  const upsert = (seen: number) =>
    collection.updateOne({ oid: 'alice' }, { $set: { seen }, $setOnInsert: { first: seen } }, { upsert: true });

  const first = await upsert(1);
  const second = await upsert(2);

  assert.equal(first.upsertedCount, 1);
  assert.equal(second.upsertedCount, 0);
  assert.equal(second.modifiedCount, 1);
  assert.deepEqual(await collection.find().toArray(), [{ _id: first.upsertedId, oid: 'alice', seen: 2, first: 1 }]);
});

test('deleting removes one document or all that match', async (t) => {
  const { collection } = await openStore(t);
  await collection.insertMany([{ a: 1 }, { a: 1 }, { a: 1 }, { a: 2 }]);

  assert.equal((await collection.deleteOne({ a: 1 })).deletedCount, 1);
  assert.equal((await collection.deleteMany({ a: 1 })).deletedCount, 2);
  assert.equal((await collection.find().toArray()).length, 1);
});
