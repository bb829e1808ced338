import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Model } from 'mongoose';
import { requestDeadline, withSignal } from '../../src/database/deadline.ts';
import { toStoreError } from '../../src/database/errors.ts';
import { storeKinds } from '../support/database.ts';
import { proxyStore } from '../support/tcpProxy.ts';
import { until } from '../support/until.ts';
import { type Note, openDatabase, openReady, refusedWithin } from './support.ts';

/** Milliseconds in which a client is promised its 503. */
const PROMISED_MS = 3000;
/** A deadline for tests that need one to pass. */
const SHORT_MS = 200;

/** Every kind of operation that requests use. */
const operations: Record<string, (notes: Model<Note>, signal: AbortSignal) => Promise<unknown>> = {
  find: (notes, signal) => notes.find({ owner: 'alice' }).setOptions(withSignal(signal)).lean().exec(),
  findOne: (notes, signal) => notes.findOne({ owner: 'alice' }).setOptions(withSignal(signal)).lean().exec(),
  insertOne: (notes, signal) => notes.collection.insertOne({ owner: 'alice' }, withSignal(signal)),
  insertMany: (notes, signal) => notes.insertMany([{ owner: 'alice', number: 1 }], withSignal(signal)),
  replaceOne: (notes, signal) => notes.replaceOne({ owner: 'alice' }, { owner: 'alice' }, withSignal(signal)).exec(),
  updateOne: (notes, signal) => notes.updateOne({ owner: 'alice' }, { $set: { number: 2 } }, withSignal(signal)).exec(),
  upsert: (notes, signal) =>
    notes.updateOne({ owner: 'bob' }, { $set: { number: 2 } }, { upsert: true, ...withSignal(signal) }).exec(),
  updateMany: (notes, signal) =>
    notes.updateMany({ owner: 'alice' }, { $set: { number: 3 } }, withSignal(signal)).exec(),
  bulkWrite: (notes, signal) =>
    notes.bulkWrite(
      [{ updateOne: { filter: { owner: 'alice' }, update: { $set: { number: 4 } } } }],
      withSignal(signal),
    ),
  deleteOne: (notes, signal) => notes.deleteOne({ owner: 'alice' }, withSignal(signal)).exec(),
  deleteMany: (notes, signal) => notes.deleteMany({ owner: 'alice' }, withSignal(signal)).exec(),
  createIndexes: (notes, signal) => notes.collection.createIndexes([{ key: { owner: 1 } }], withSignal(signal)),
};

for (const [kind, freshDatabase] of Object.entries(storeKinds)) {
  describe(`with ${kind}`, { concurrency: true }, () => {
    for (const [name, operate] of Object.entries(operations)) {
      test(`${name} on a store that hangs ends at its deadline, and works as soon as the store does`, async (t) => {
        const proxy = await proxyStore(t, (await freshDatabase(t)).uri);
        const { notes } = await openReady(t, proxy.uri);

        proxy.stall();
        const error = await refusedWithin(PROMISED_MS, operate(notes, requestDeadline(SHORT_MS)));
        await proxy.resume();

        assert.equal(toStoreError(error)?.code, 'StoreUnavailable', String(error));
        await operate(notes, requestDeadline());
      });
    }

    test('a store that hangs in the middle of a request is 503 in time', async (t) => {
      const proxy = await proxyStore(t, (await freshDatabase(t)).uri);
      const { notes } = await openReady(t, proxy.uri);

      proxy.stall();
      const error = await refusedWithin(PROMISED_MS, operations.find?.(notes, requestDeadline()) ?? Promise.resolve());

      const storeError = toStoreError(error);
      assert.equal(storeError?.statusCode, 503, String(error));
      assert.deepEqual(storeError.headers, { 'Retry-After': '2' });
    });

    test('more requests than the pool has connections are all refused in time, and do not clog it', async (t) => {
      const proxy = await proxyStore(t, (await freshDatabase(t)).uri);
      const { notes } = await openReady(t, proxy.uri);
      const find = async (): Promise<unknown> =>
        await notes.find({ owner: 'alice' }).setOptions({ signal: requestDeadline() }).lean();

      proxy.stall();
      const refused = await Promise.all(Array.from({ length: 120 }, () => refusedWithin(PROMISED_MS, find())));
      await proxy.resume();

      for (const error of refused) assert.equal(toStoreError(error)?.code, 'StoreUnavailable', String(error));
      // On a slow machine the pool may need more than one wait for its new connections.
      const isServed = async (): Promise<boolean> =>
        await find().then(
          () => true,
          (error: unknown) => {
            assert.equal(toStoreError(error)?.code, 'StoreUnavailable', String(error));
            return false;
          },
        );
      await Promise.all(Array.from({ length: 40 }, () => until(isServed)));
      assert.deepEqual(await find(), []);
    });

    test('a write that was cut off at its deadline may have been done all the same', async (t) => {
      const proxy = await proxyStore(t, (await freshDatabase(t)).uri);
      const { notes } = await openReady(t, proxy.uri);

      proxy.stallAnswers();
      const error = await refusedWithin(
        PROMISED_MS,
        notes.insertMany([{ owner: 'alice', number: 7 }], withSignal(requestDeadline(SHORT_MS))),
      );
      await proxy.resume();

      assert.equal(toStoreError(error)?.code, 'StoreUnavailable', String(error));
      assert.equal((await notes.find({ owner: 'alice' }).lean()).length, 1);
    });

    test('a slow store answers', async (t) => {
      const proxy = await proxyStore(t, (await freshDatabase(t)).uri);
      const { notes } = await openReady(t, proxy.uri);
      await notes.insertMany([{ owner: 'alice', number: 1 }]);

      proxy.drip(20);
      const found = await notes.find({ owner: 'alice' }).setOptions({ signal: requestDeadline() }).lean();

      assert.equal(found.length, 1);
    });

    test('a store that is down at the start is waited for, and requests are 503 until it comes', async (t) => {
      const proxy = await proxyStore(t, (await freshDatabase(t)).uri);
      await proxy.refuse();

      const { database, notes, lines } = await openDatabase(t, proxy.uri);
      const error = await refusedWithin(PROMISED_MS, notes.find({ owner: 'alice' }).lean().exec());
      await until(() => lines.length > 0);
      const wasReady = database.isReady();
      await proxy.resume();
      await until(() => database.isReady());

      assert.equal(toStoreError(error)?.code, 'StoreUnavailable', String(error));
      assert.equal(wasReady, false);
      assert.equal(lines[0]?.message, 'store cannot be reached');
      assert.deepEqual(await notes.find({ owner: 'alice' }).lean(), []);
    });

    test('closing does not wait for a store that never came', async (t) => {
      const proxy = await proxyStore(t, (await freshDatabase(t)).uri);
      proxy.stall();
      const { database } = await openDatabase(t, proxy.uri);

      const error = await refusedWithin(1000, database.close());

      assert.equal((error as Error).message, 'it succeeded');
    });

    test('no write that was acknowledged is lost while connections are cut', async (t) => {
      const proxy = await proxyStore(t, (await freshDatabase(t)).uri);
      const { notes } = await openReady(t, proxy.uri);
      const acknowledged: number[] = [];
      const owner = randomUUID();
      const write = async (number: number): Promise<void> => {
        await notes.insertMany([{ owner, number }], withSignal(requestDeadline()));
        acknowledged.push(number);
      };

      const refused: unknown[] = [];
      for (let number = 0; number < 200; number += 1) {
        const writing = write(number).catch((error: unknown) => refused.push(error));
        if (number % 20 === 10) proxy.cut();
        await writing;
      }

      const stored = new Set((await notes.find({ owner }).lean()).map(({ number }) => number));
      assert.deepEqual(
        acknowledged.filter((number) => !stored.has(number)),
        [],
      );
      assert.ok(acknowledged.length >= 100, `${acknowledged.length} acknowledged`);
      for (const error of refused) assert.equal(toStoreError(error)?.code, 'StoreUnavailable', String(error));
    });
  });
}
