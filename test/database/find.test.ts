import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import mongoose from 'mongoose';
import { findAll } from '../../src/database/find.ts';
import { testDatabase } from '../support/database.ts';
import { refusal, startRefusingServer } from '../support/refusingServer.ts';

const never = new AbortController().signal;

test('what one answer does not hold is read to the end', async (t) => {
  const notes = await notesAt(t, (await testDatabase(t)).uri);
  await notes.insertMany(Array.from({ length: 5 }, (_, i) => ({ owner: 'alice', i })));

  const found = await findAll(notes, { owner: { $eq: 'alice' } }, { sort: { i: 1 }, limit: 4, batchSize: 2 }, never);

  assert.deepEqual(
    found.map((note) => (note as { i: number }).i),
    [0, 1, 2, 3],
  );
});

for (const [name, code, asked] of [
  ['InterruptedDueToReplStateChange', 11_602, 2],
  ['BadValue', 2, 1],
] as const) {
  test(`a find that is refused with ${name} is asked ${asked === 1 ? 'no second time' : 'again'}`, async (t) => {
    const cursor = { id: mongoose.mongo.Long.ZERO, ns: 'test.notes', firstBatch: [{ i: 1 }] };
    let count = 0;
    const answers = {
      get find() {
        count += 1;
        return count === 1 ? refusal(code, name) : { ok: 1, cursor };
      },
    };
    const notes = await notesAt(t, await startRefusingServer(t, answers));
    const found = findAll(notes, {}, { batchSize: 2 }, never);

    if (asked === 1) await assert.rejects(found, { code });
    else assert.deepEqual(await found, [{ i: 1 }]);
    assert.equal(count, asked);
  });
}

async function notesAt(t: TestContext, uri: string): Promise<mongoose.Collection> {
  const connection = await mongoose.createConnection(uri).asPromise();
  t.after(() => connection.destroy());
  return connection.collection('notes');
}
