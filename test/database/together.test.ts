import assert from 'node:assert/strict';
import { test } from 'node:test';
import mongoose from 'mongoose';
import { Together } from '../../src/database/together.ts';
import { taskModels } from '../../src/tasks/model.ts';
import { OwnedCollection } from '../../src/tasks/owned.ts';
import { startRefusingServer } from '../support/refusingServer.ts';

const gone = new Error('its time is over');
const never = new AbortController().signal;

test('whoever asks when their time is over is refused at once, and the others go on', async () => {
  const { promise, resolve } = Promise.withResolvers<string[]>();
  const together = new Together<string, string>(async () => await promise);

  const alice = together.ask('alice', never);
  await assert.rejects(together.ask('bob', AbortSignal.abort(gone)), gone);
  resolve(['hers']);

  assert.equal(await alice, 'hers');
});

test('whoever gives up is refused, and the command goes on until nobody waits for it', async () => {
  const { promise, resolve } = Promise.withResolvers<AbortSignal>();
  const together = new Together<string, string>(async (_questions, signal) => {
    resolve(signal);
    return await new Promise<never>(() => undefined);
  });
  const [before, first, last] = Array.from({ length: 3 }, () => new AbortController());

  const refusals = [before, first, last].map((one) =>
    assert.rejects(together.ask('?', (one as AbortController).signal), gone),
  );
  before?.abort(gone);
  const signal = await promise;
  first?.abort(gone);
  await refusals[1];
  const goesOn = !signal.aborted;
  last?.abort(gone);

  await Promise.all(refusals);
  assert.deepEqual([goesOn, signal.aborted], [true, true]);
});

test('a command that all have given up before it begins finds its signal aborted', async () => {
  const { promise, resolve } = Promise.withResolvers<AbortSignal>();
  const together = new Together<string, string>(async (questions, signal) => {
    resolve(signal);
    return questions;
  });
  const leaving = new AbortController();

  const refusals = [0, 1].map(() => assert.rejects(together.ask('?', leaving.signal), gone));
  leaving.abort(gone);

  await Promise.all(refusals);
  assert.equal((await promise).aborted, true);
});

test('two owners whose tasks have one id, as they may on two shards, each get their own', async (t) => {
  const _id = new mongoose.Types.ObjectId();
  const found = ['alice', 'bob'].map((owner) => ({ _id, owner, Text: `of ${owner}` }));
  const cursor = { id: mongoose.mongo.Long.ZERO, ns: 'test.tasks', firstBatch: found };
  const uri = await startRefusingServer(t, { find: { ok: 1, cursor } });
  const connection = await mongoose.createConnection(uri, { autoIndex: false, autoCreate: false }).asPromise();
  t.after(() => connection.destroy());
  const { tasks } = taskModels(connection);
  const of = (owner: string) =>
    new OwnedCollection(tasks, { owner, signal: never, life: { begin: () => assert.fail() } }).get(_id);

  const texts = (await Promise.all([of('alice'), of('bob'), of('carol')])).map((task) => task?.Text);

  assert.deepEqual(texts, ['of alice', 'of bob', undefined]);
});
