import assert from 'node:assert/strict';
import { test } from 'node:test';
import mongoose from 'mongoose';
import { type Collection, connect, countOf, type Db, openStore, refusal } from './store.ts';

/** What is refused: MongoDB's code, what the message has to name, and how it is asked for. */
type Refused = [code: number, name: string, ask: (collection: Collection, db: Db) => Promise<unknown>];

const commands = [
  ...['mapReduce', 'collStats', 'dbStats', 'renameCollection', 'collMod', 'validate', 'compact', 'reIndex'],
  ...['serverStatus', 'currentOp', 'killOp', 'getParameter', 'setParameter', 'replSetGetStatus', 'createUser'],
  ...['count', 'distinct', 'findAndModify', 'listCollections', 'listDatabases', 'buildInfo', 'drop', 'dropDatabase'],
  ...['saslStart', 'connectionStatus', 'logRotate', 'bulkWrite', 'createSearchIndexes', 'fsync', '__proto__'],
];
for (const name of commands) {
  test(`the command ${name} is refused by name`, async (t) => {
    const { db } = await openStore(t);
    // Computed, so that it is a member even when it is called __proto__.
    const command = { [name]: name === 'mapReduce' ? 'things' : 1 };

    await assert.rejects(db.command(command), refusal(59, `'${name}'`));
  });
}

const refused: Record<string, Refused> = {
  $where: [2, '$where', (c) => c.find({ $where: 'true' }).toArray()],
  $expr: [2, '$expr', (c) => c.find({ $expr: { $eq: [1, 1] } }).toArray()],
  $text: [2, '$text', (c) => c.find({ $text: { $search: 'x' } }).toArray()],
  $jsonSchema: [2, '$jsonSchema', (c) => c.find({ $jsonSchema: {} }).toArray()],
  $elemMatch: [2, '$elemMatch', (c) => c.find({ a: { $elemMatch: { b: 1 } } }).toArray()],
  $all: [2, '$all', (c) => c.find({ a: { $all: [1] } }).toArray()],
  $size: [2, '$size', (c) => c.find({ a: { $size: 1 } }).toArray()],
  $mod: [2, '$mod', (c) => c.find({ a: { $mod: [2, 0] } }).toArray()],
  $near: [2, '$near', (c) => c.find({ a: { $near: [0, 0] } }).toArray()],
  'an operator within $or': [2, '$where', (c) => c.deleteMany({ $or: [{ a: 1 }, { $where: 'true' }] })],
  $nor: [2, '$nor', (c) => c.deleteMany({ $nor: [{ a: 1 }] })],
  $not: [2, '$not', (c) => c.deleteMany({ a: { $not: { $gt: 1 } } })],
  'a pattern within $in': [238, 'BSONRegExp', (c) => c.deleteMany({ a: { $in: [/x/] } })],
  'a pattern': [238, 'BSONRegExp', (c) => c.deleteMany({ a: /x/ })],
  $regex: [2, '$regex', (c) => c.deleteMany({ a: { $regex: 'x' } })],
  $nin: [2, '$nin', (c) => c.deleteMany({ a: { $nin: [1] } })],
  $type: [2, '$type', (c) => c.deleteMany({ a: { $type: 'string' } })],
  'an object to compare with': [238, 'object', (c) => c.deleteMany({ a: { b: 1 } })],
  'an array to compare with': [238, 'array', (c) => c.deleteMany({ a: [1] })],
  'a list in $in': [238, 'array', (c) => c.deleteMany({ a: { $in: [[1]] } })],
  '$exists of a number': [2, '$exists', (c) => c.deleteMany({ a: { $exists: 1 as never } })],
  'a field named __proto__': [2, '__proto__', (c) => c.deleteMany(JSON.parse('{"__proto__": 1}') as object)],
  'an empty $or': [2, '$or', (c) => c.find({ $or: [] }).toArray()],
  '$in without an array': [2, '$in', (c) => c.find({ a: { $in: 1 as never } }).toArray()],
  $push: [9, '$push', (c) => c.updateOne({}, { $push: { a: 1 } as never })],
  $pull: [9, '$pull', (c) => c.updateOne({}, { $pull: { a: 1 } as never })],
  $rename: [9, '$rename', (c) => c.updateOne({}, { $rename: { a: 'b' } })],
  $currentDate: [9, '$currentDate', (c) => c.updateOne({}, { $currentDate: { a: true } })],
  $bit: [9, '$bit', (c) => c.updateOne({}, { $bit: { a: { or: 1 } } })],
  'a pipeline as update': [238, 'pipeline', (c) => c.updateOne({}, [{ $set: { a: 1 } }])],
  'the positional operator': [238, 'a.$', (c) => c.updateOne({}, { $set: { 'a.$': 1 } })],
  'all positions': [238, 'a.$[]', (c) => c.updateOne({}, { $set: { 'a.$[]': 1 } })],
  'array filters': [40415, 'arrayFilters', (c) => c.updateOne({}, { $set: { a: 1 } }, { arrayFilters: [{ x: 1 }] })],
  'a path in conflict': [40, "'a'", (c) => c.updateOne({}, { $set: { a: 1 }, $unset: { a: '' } })],
  'a path within a member': [238, "'a.b'", (c) => c.updateOne({}, { $set: { 'a.b': 1 } })],
  $inc: [9, '$inc', (c) => c.updateOne({}, { $inc: { a: 1 } })],
  'another id': [66, '_id', (c) => c.updateOne({}, { $set: { _id: 1 } })],
  'a replacement with another id': [66, '_id', (c) => c.replaceOne({}, { _id: 1 as never })],
  'an array as id': [53, 'array', (c) => c.insertOne({ _id: [1] as never })],
  'a stored name with a dollar': [52, '$a', (c) => c.insertOne({ $a: 1 })],
  collation: [40415, 'collation', (c) => c.find({}, { collation: { locale: 'de' } }).toArray()],
  hint: [40415, 'hint', (c) => c.find({}, { hint: { _id: 1 } }).toArray()],
  'hint of an update': [40415, 'hint', (c) => c.updateOne({}, { $set: { a: 1 } }, { hint: '_id_' })],
  'collation of a delete': [40415, 'collation', (c) => c.deleteOne({}, { collation: { locale: 'de' } })],
  min: [40415, 'min', (c) => c.find({}, { min: { a: 1 } }).toArray()],
  returnKey: [40415, 'returnKey', (c) => c.find({}, { returnKey: true }).toArray()],
  showRecordId: [40415, 'showRecordId', (c) => c.find({}, { showRecordId: true }).toArray()],
  let: [40415, 'let', (c) => c.find({}, { let: { x: 1 } }).toArray()],
  tailable: [40415, 'tailable', (c) => c.find({}, { tailable: true }).toArray()],
  'a projection operator': [238, '$slice', (c) => c.find({}, { projection: { a: { $slice: 1 } } }).toArray()],
  'a projection within a member': [238, 'a.b', (c) => c.find({}, { projection: { 'a.b': 1 } }).toArray()],
  'a projection that omits': [238, 'b', (c) => c.find({}, { projection: { a: 1, b: 0 } }).toArray()],
  'a sort by $meta': [
    15975,
    'a',
    (c) =>
      c
        .find()
        .sort({ a: { $meta: 'textScore' } })
        .toArray(),
  ],
  'a sort by $natural': [238, '$natural', (c) => c.find().sort({ $natural: -1 }).toArray()],
  $lookup: [40324, '$lookup', (c) => c.aggregate([{ $lookup: {} }]).toArray()],
  'an aggregation without a count': [40324, '$group', (c) => c.aggregate([{ $match: {} }]).toArray()],
  'another $group': [40324, '$group', (c) => c.aggregate([{ $group: { _id: '$a' } }]).toArray()],
  'stages in another order': [40324, '$match', (c) => c.aggregate([{ $limit: 1 }, { $match: {} }]).toArray()],
  'a count that skips': [40324, '$skip', (c) => c.countDocuments({}, { skip: 1 })],
  'a change stream': [40324, '$changeStream', (c) => c.watch().next()],
  'sorting an update': [40415, 'sort', (c) => c.updateOne({}, { $set: { a: 1 } }, { sort: { a: 1 } })],
  'explaining a delete': [238, 'find', (_, db) => db.command({ explain: { delete: 'things', deletes: [] } })],
  'a capped collection': [40415, 'capped', (_, db) => db.createCollection('x', { capped: true, size: 100 })],
  'a validator': [40415, 'validator', (_, db) => db.createCollection('x', { validator: {} })],
  'a view': [40415, 'viewOn', (_, db) => db.createCollection('x', { viewOn: 'things', pipeline: [] })],
  'a time series': [40415, 'timeseries', (_, db) => db.createCollection('x', { timeseries: { timeField: 'a' } })],
  'a namespace of the system': [73, 'system.x', (_, db) => db.collection('system.x').insertOne({})],
  'a text index': [67, 'text', (c) => c.createIndexes([{ key: { a: 'text' } }])],
  'a hashed index': [67, 'hashed', (c) => c.createIndexes([{ key: { a: 'hashed' } }])],
  'a wildcard index': [67, '$**', (c) => c.createIndexes([{ key: { '$**': 1 } }])],
  'a sparse index': [197, 'sparse', (c) => c.createIndexes([{ key: { a: 1 }, sparse: true }])],
  'an index within a member': [67, 'a.b', (c) => c.createIndexes([{ key: { 'a.b': 1 } }])],
  'an index with a collation': [
    197,
    'collation',
    (c) => c.createIndexes([{ key: { a: 1 }, collation: { locale: 'de' } }]),
  ],
  'a compound TTL index': [67, 'TTL', (c) => c.createIndexes([{ key: { a: 1, b: 1 }, expireAfterSeconds: 1 }])],
  'an operator of a partial index': [
    2,
    '$size',
    (c) => c.createIndexes([{ key: { a: 1 }, partialFilterExpression: { a: { $size: 1 } } }]),
  ],
  'a snapshot': [72, 'snapshot', (c) => c.find({}, { readConcern: 'snapshot' }).toArray()],
  'more copies than one': [2, 'w', (c) => c.insertOne({ a: 1 }, { writeConcern: { w: 2 } })],
  'a decimal to compare with': [238, 'Decimal128', (c) => c.find({ decimal: 1 }).toArray()],
  'bytes to compare with': [238, 'Binary', (c) => c.find({ text: Buffer.of(1) }).toArray()],
};
for (const [name, [code, named, ask]] of Object.entries(refused)) {
  test(`refused with MongoDB's code: ${name}`, async (t) => {
    const { collection, db } = await openStore(t);
    const before = { text: 'x', decimal: mongoose.mongo.Decimal128.fromString('1') };
    await collection.insertOne({ ...before });

    await assert.rejects(ask(collection, db), refusal(code, named));

    assert.deepEqual(await collection.findOne({}, { projection: { _id: 0 } }), before);
  });
}

test('a path through an array is refused where there is one', async (t) => {
  const { collection } = await openStore(t);
  await collection.insertMany([{ a: { b: 1 } }, { a: [{ b: 1 }] }]);

  assert.equal(await countOf(collection, { 'a.b': 1 }, { limit: 1 }), 1);
  await assert.rejects(collection.find({ 'a.b': 1 }).toArray(), refusal(238, 'a.b'));
});

test('a filter is refused even where there is nothing to find', async (t) => {
  const { db } = await openStore(t);
  const nowhere = db.collection('nowhere');

  await assert.rejects(nowhere.find({ $where: '1' }).toArray(), refusal(2, '$where'));
  await assert.rejects(nowhere.deleteMany({ $where: '1' }), refusal(2, '$where'));
  await assert.rejects(nowhere.updateOne({ $where: '1' }, { $set: { a: 1 } }), refusal(2, '$where'));
});

test('a transaction is refused, and what it wrote is not there', async (t) => {
  const { client, collection } = await openStore(t);
  const session = client.startSession();
  t.after(() => session.endSession());
  session.startTransaction();

  await assert.rejects(collection.insertOne({ a: 1 }, { session }), refusal(263, 'transaction'));

  assert.equal(await countOf(collection), 0);
});

test('a session without a transaction, write concerns and read concerns are accepted', async (t) => {
  const { uri } = await openStore(t);
  const client = await connect(t, `${uri}?w=majority&journal=true&wtimeoutMS=5000&readConcernLevel=majority`);
  const collection = client.db('test').collection('things');

  await client.withSession(async (session) => {
    await collection.insertOne({ a: 1 }, { session });
    assert.equal(await countOf(collection, {}, { session }), 1);
  });
});

test('an unacknowledged write is carried out without an answer', async (t) => {
  const { collection } = await openStore(t);

  await collection.insertOne({ a: 1 }, { writeConcern: { w: 0 } });
  const seen = async (): Promise<number> => ((await countOf(collection)) === 1 ? 1 : seen());

  assert.equal(await seen(), 1);
});
