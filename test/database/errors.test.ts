import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { isRefusal, toStoreError } from '../../src/database/errors.ts';
import { refusal, silence, startRefusingServer } from '../support/refusingServer.ts';
import { until } from '../support/until.ts';
import { openDatabase, openReady, refusedWithin } from './support.ts';

const PROMISED_MS = 3000;

const unavailable = {
  'steps down': refusal(10107, 'NotWritablePrimary'),
  'has no primary': refusal(13436, 'NotPrimaryOrSecondary'),
  'is stopping': refusal(91, 'ShutdownInProgress'),
  'ran out of time': refusal(50, 'MaxTimeMSExpired'),
  'ran out of disk': refusal(14031, 'OutOfDiskSpace'),
  'cannot reach a majority': {
    ok: 1,
    n: 1,
    writeConcernError: { code: 64, codeName: 'WriteConcernTimeout', errmsg: 'waiting for replication timed out' },
  },
  'has too few members for a majority': {
    ok: 1,
    n: 1,
    writeConcernError: { code: 100, codeName: 'UnsatisfiableWriteConcern', errmsg: 'not enough data-bearing nodes' },
  },
  'is asked for too much, as Cosmos DB says it,': refusal(16500, 'RequestRateTooLarge'),
  'has its writes blocked': refusal(371, 'UserWritesBlocked'),
  'drops the collection under the plan': refusal(175, 'QueryPlanKilled'),
  'wants the connection to sign in again': refusal(391, 'ReauthenticationRequired'),
  'says what no release before it said': refusal(4711, 'SomethingNew'),
  'labels its refusal as temporary': { ...refusal(2, 'BadValue'), errorLabels: ['RetryableError'] },
  'refuses the privilege': refusal(13, 'Unauthorized'),
};

describe('writes that the server cannot do now', { concurrency: true }, () => {
  for (const [trouble, answer] of Object.entries(unavailable)) {
    test(`a write to a server that ${trouble} is 503, alone and in a batch`, async (t) => {
      const { notes } = await openReady(t, await startRefusingServer(t, { insert: answer, update: answer }));

      const writes: (() => Promise<unknown>)[] = [
        () => notes.collection.insertOne({ owner: 'alice' }),
        () => notes.insertMany([{ owner: 'alice', number: 1 }]),
        () => notes.updateOne({ owner: 'alice' }, { $set: { number: 2 } }).exec(),
        () => notes.bulkWrite([{ updateOne: { filter: { owner: 'alice' }, update: { $set: { number: 4 } } } }]),
      ];

      for (const write of writes) {
        const error = await refusedWithin(PROMISED_MS, write());
        assert.equal(toStoreError(error)?.code, 'StoreUnavailable', String(error));
        assert.equal(isRefusal(error), trouble === 'refuses the privilege');
      }
    });
  }
});

test('a duplicate key is not taken for trouble with the store', async (t) => {
  const answer = { ok: 1, n: 0, writeErrors: [{ index: 0, code: 11000, errmsg: 'E11000 duplicate key error' }] };
  const { notes } = await openReady(t, await startRefusingServer(t, { insert: answer }));

  const alone = await refusedWithin(PROMISED_MS, notes.collection.insertOne({ owner: 'alice' }));
  const inBatch = await refusedWithin(PROMISED_MS, notes.insertMany([{ owner: 'alice', number: 1 }]));

  assert.equal((alone as { code?: unknown }).code, 11000);
  assert.equal(toStoreError(alone), undefined);
  assert.equal((inBatch as { code?: unknown }).code, 11000);
  assert.equal(toStoreError(inBatch), undefined);
});

test('an error of our own is not taken for trouble with the store', () => {
  const clientGone = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });

  for (const error of [new TypeError('a bug'), clientGone, 'text', undefined, null, {}]) {
    assert.equal(toStoreError(error), undefined);
  }
});

test('a command that the server will refuse again is not taken for trouble with the store', async (t) => {
  for (const [code, codeName] of [
    [2, 'BadValue'],
    [121, 'DocumentValidationFailure'],
    [238, 'NotImplemented'],
    [10334, 'BSONObjectTooLarge'],
    [40324, 'Location40324'],
  ] as const) {
    const { notes } = await openReady(t, await startRefusingServer(t, { insert: refusal(code, codeName) }));

    assert.equal(
      toStoreError(await refusedWithin(PROMISED_MS, notes.collection.insertOne({ owner: 'alice' }))),
      undefined,
    );
  }
});

test('a pooled connection that the server has closed is taken for trouble with the store', async () => {
  const lost = await writeToEndedSocket();

  assert.equal(lost.code, 'EPIPE');
  assert.equal(lost.syscall, undefined);
  assert.equal(toStoreError(lost)?.code, 'StoreUnavailable');
});

test('an operation before the first connect, and one after the close, are 503', async (t) => {
  const { database, notes } = await openDatabase(t, 'mongodb://127.0.0.1:1/');
  const find = async (): Promise<unknown> => await notes.find({ owner: 'alice' }).lean();

  const before = await refusedWithin(PROMISED_MS, find());
  await database.close();
  const after = await refusedWithin(PROMISED_MS, find());

  assert.equal(toStoreError(before)?.code, 'StoreUnavailable', String(before));
  assert.equal(toStoreError(after)?.code, 'StoreUnavailable', String(after));
});

test('an operation that the close interrupts is 503', async (t) => {
  const uri = await startRefusingServer(t, { find: silence });
  const { database, notes } = await openReady(t, `${uri}?monitorCommands=true`);

  const interrupted = refusedWithin(PROMISED_MS, notes.find({ owner: 'alice' }).lean().exec());
  await once(database.connection.getClient(), 'commandStarted');
  await database.close();

  const error = await interrupted;
  assert.equal(toStoreError(error)?.code, 'StoreUnavailable', String(error));
});

test('bad credentials are an error in the log, without the password, and keep the server from being ready', async (t) => {
  const uri = await startRefusingServer(t, { saslStart: refusal(18, 'AuthenticationFailed') });

  const { database, lines } = await openDatabase(t, uri.replace('//', '//alice:hunter2@'));
  await until(() => lines.length > 0);

  assert.equal(database.isReady(), false);
  assert.equal(database.problem(), 'refuses the credentials');
  assert.equal(lines[0]?.level, 'error');
  assert.equal(lines[0].message, 'store cannot be reached');
  assert.ok(
    !JSON.stringify(lines, (_key, value: unknown) => (value instanceof Error ? value.stack : value)).includes(
      'hunter2',
    ),
  );
});

/** What Node reports, and the driver passes on, when the other side has ended the connection before we write. */
async function writeToEndedSocket(): Promise<NodeJS.ErrnoException> {
  const server = createServer((socket) => socket.on('error', () => undefined).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.resume();
  await once(socket, 'end');
  const failed = once(socket, 'error');
  socket.write('too late');
  const [error] = (await failed) as [NodeJS.ErrnoException];
  server.close();
  return error;
}
