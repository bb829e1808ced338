import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import mongoose from 'mongoose';
import { ensureStructure } from '../../src/database/structure.ts';
import { taskModels } from '../../src/tasks/model.ts';
import { storeKinds } from '../support/database.ts';
import { refusal, startRefusingServer } from '../support/refusingServer.ts';
import { until } from '../support/until.ts';
import { type Note, openDatabase, openReady } from './support.ts';

type Collection = mongoose.mongo.Collection;

/** The collection as another program sees it. */
async function rawCollection(t: { after(work: () => Promise<void>): void }, uri: string): Promise<Collection> {
  const client = await new mongoose.mongo.MongoClient(uri).connect();
  t.after(() => client.close());
  return client.db().collection('notes');
}

async function indexNames(notes: Collection): Promise<string[]> {
  return (await notes.listIndexes().toArray()).map(({ name }) => String(name)).sort();
}

for (const [kind, freshDatabase] of Object.entries(storeKinds)) {
  describe(`with ${kind}`, () => {
    test('the collections and indexes of every model are there before the store is ready', async (t) => {
      const { uri } = await freshDatabase(t);

      await openReady(t, uri);

      assert.deepEqual(await indexNames(await rawCollection(t, uri)), ['_id_', 'owner_1__id_1']);
    });

    test('several instances that start together on an empty database all become ready', async (t) => {
      const { uri } = await freshDatabase(t);

      await Promise.all([openReady(t, uri), openReady(t, uri), openReady(t, uri)]);

      assert.deepEqual(await indexNames(await rawCollection(t, uri)), ['_id_', 'owner_1__id_1']);
    });

    test('documents and indexes that are there already are left alone', async (t) => {
      const { uri } = await freshDatabase(t);
      const notes = await rawCollection(t, uri);
      await notes.insertOne({ owner: 'alice', task: 'from the tutorial' });
      await notes.createIndex({ task: 1 }, { name: 'by hand' }, {});

      await openReady(t, uri);

      assert.deepEqual(await indexNames(notes), ['_id_', 'by hand', 'owner_1__id_1']);
      assert.equal((await notes.find({ task: 'from the tutorial' }).toArray()).length, 1);
    });

    test('an index of another name, or one that does more, serves as well', async (t) => {
      const { uri } = await freshDatabase(t);
      const notes = await rawCollection(t, uri);
      await notes.createIndex({ owner: 1, _id: 1 }, { name: 'by hand', unique: true }, {});

      const { lines } = await openReady(t, uri);

      assert.deepEqual(await indexNames(notes), ['_id_', 'by hand']);
      assert.deepEqual(
        lines.map(({ message }) => message),
        ['store ready'],
      );
    });

    test('an index that conflicts is named, and the others are made all the same', async (t) => {
      const { uri } = await freshDatabase(t);
      const notes = await rawCollection(t, uri);
      await notes.createIndex({ number: 1 }, { expireAfterSeconds: 60 }, {});
      const schema = new mongoose.Schema<Note>({ owner: String, number: Number }, { collection: 'notes' });
      schema.index({ number: 1 }, { expireAfterSeconds: 3600 });
      schema.index({ owner: 1 });

      const { database } = await openDatabase(t, uri, schema);
      await until(() => database.problem() === 'lacks the index number_1 of notes');

      assert.equal(database.isReady(), false);
      assert.ok((await indexNames(notes)).includes('owner_1'));
      await notes.dropIndex('number_1');
      await until(() => database.isReady());
      assert.equal(database.problem(), undefined);
    });

    test('the index of earlier versions that held every live task goes when its successor is there', async (t) => {
      const { uri } = await freshDatabase(t);
      const { database } = await openReady(t, uri);
      taskModels(database.connection);
      await ensureStructure(database.connection);
      const tasks = database.connection.collection('tasks');
      await tasks.dropIndex('deletedAt_-1');
      await tasks.createIndex({ deletedAt: 1 }, { expireAfterSeconds: 721 * 3600 }, {});

      await ensureStructure(database.connection);
      await ensureStructure(database.connection);

      const names = (await tasks.indexes()).map(({ name }) => name);
      assert.ok(names.includes('deletedAt_-1'));
      assert.ok(!names.includes('deletedAt_1'));
    });

    test('an index that conflicts keeps the server from being ready, and the log says where, until it is gone', async (t) => {
      const { uri } = await freshDatabase(t);
      const notes = await rawCollection(t, uri);
      await notes.createIndex({ number: 1 }, { name: 'owner_1__id_1' }, {});

      const { database, lines } = await openDatabase(t, uri);
      await until(() => lines.length > 0);
      const wasReady = database.isReady();
      await notes.dropIndex('owner_1__id_1');
      await until(() => database.isReady());

      assert.equal(wasReady, false);
      assert.equal(lines[0]?.message, 'store lacks collections or indexes');
      assert.match(String(lines[0]['err']), /the collection notes or its indexes cannot be created: .*owner_1__id_1/);
    });

    test('duplicates that a unique index forbids keep the server from being ready, until they are gone', async (t) => {
      const { uri } = await freshDatabase(t);
      const notes = await rawCollection(t, uri);
      await notes.insertMany([{ owner: 'alice' }, { owner: 'alice' }]);
      const schema = new mongoose.Schema<Note>({ owner: String }, { collection: 'notes' });
      schema.index({ owner: 1 }, { unique: true });

      const { database, lines } = await openDatabase(t, uri, schema);
      await until(() => lines.length > 0);
      const wasReady = database.isReady();
      await notes.deleteOne({ owner: 'alice' });
      await until(() => database.isReady());

      assert.equal(wasReady, false);
      assert.match(String(lines[0]?.['err']), /the collection notes or its indexes cannot be created/);
    });
  });
}

test('a database user who may not create indexes is an error in the log', async (t) => {
  const uri = await startRefusingServer(t, { createIndexes: refusal(13, 'Unauthorized') });

  const { database, lines } = await openDatabase(t, uri);
  await until(() => lines.length > 0);

  assert.equal(database.isReady(), false);
  assert.equal(database.problem(), 'lacks the index owner_1__id_1 of notes');
  assert.equal(lines[0]?.level, 'error');
  assert.equal(lines[0].message, 'store lacks collections or indexes');
});
