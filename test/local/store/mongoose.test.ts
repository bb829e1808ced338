import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import mongoose from 'mongoose';
import { openStore } from './store.ts';

async function openModel(t: TestContext) {
  const { uri } = await openStore(t);
  const options = { dbName: 'tasklist', serverSelectionTimeoutMS: 2000 };
  const connection = mongoose.createConnection(`${uri}?w=majority&journal=true&wtimeoutMS=5000`, options);
  t.after(() => connection.close());
  const schema = new mongoose.Schema(
    { oid: String, name: String, tags: [String], seen: Date, visits: Number },
    { timestamps: true },
  );
  schema.index({ oid: 1 }, { unique: true });
  schema.index({ name: 1, seen: -1 });
  schema.index({ seen: 1 }, { expireAfterSeconds: 3600 });
  const User = connection.model('User', schema);
  await User.init();
  return { connection, User };
}

test('a model makes its collection and indexes, and finds them made', async (t) => {
  const { User } = await openModel(t);

  await User.createCollection();
  await User.createIndexes();
  const { toDrop, toCreate } = await User.diffIndexes();

  assert.deepEqual([toDrop, toCreate], [[], []]);
  assert.deepEqual(
    (await User.listIndexes()).map(({ name }) => String(name)),
    ['_id_', 'oid_1', 'name_1_seen_-1', 'seen_1'],
  );
});

test('documents are created, found, changed, saved and deleted through a model', async (t) => {
  const { User } = await openModel(t);

  const alice = await User.create({ oid: 'alice', name: 'Alice', visits: 1 });
  await User.insertMany([{ oid: 'bob', name: 'Bob' }]);
  alice.name = 'Alice B.';
  await alice.save();
  await User.updateOne({ oid: 'bob' }, { $set: { visits: 2 }, $unset: { name: '' } });
  await User.updateOne({ oid: 'carol' }, { name: 'Carol' }, { upsert: true });

  const found = await User.find({ oid: { $in: ['alice', 'bob', 'carol'] } })
    .sort('-oid')
    .lean();
  assert.deepEqual(
    found.map(({ oid, name, visits }) => [oid, name, visits]),
    [
      ['carol', 'Carol', undefined],
      ['bob', undefined, 2],
      ['alice', 'Alice B.', 1],
    ],
  );
  assert.ok(found.every(({ createdAt, updatedAt }) => createdAt instanceof Date && updatedAt instanceof Date));
  assert.equal((await User.find({ visits: { $gt: 0 } })).length, 2);
  assert.deepEqual(await User.exists({ oid: 'nobody' }), null);
  assert.equal((await User.deleteMany({ oid: { $in: ['alice', 'bob'] } })).deletedCount, 2);
});

test('a duplicate is reported with its key', async (t) => {
  const { User } = await openModel(t);
  await User.create({ oid: 'alice' });

  await assert.rejects(User.create({ oid: 'alice' }), {
    code: 11000,
    keyPattern: { oid: 1 },
    keyValue: { oid: 'alice' },
  });
});

test('many documents stream through a model’s cursor', async (t) => {
  const { User } = await openModel(t);
  await User.insertMany(Array.from({ length: 250 }, (_, n) => ({ oid: `user ${n}`, visits: n })));
  let visits = 0;

  for await (const user of User.find().sort('visits').cursor({ batchSize: 40 })) visits += user.visits ?? 0;

  assert.equal(visits, (249 * 250) / 2);
});
