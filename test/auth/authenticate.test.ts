import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGate } from './gate.ts';

test('a token that the tenant issued is accepted, and says who calls', async (t) => {
  const gate = await startGate(t);

  const answer = await gate.call(gate.tenant.issueToken({ oid: 'alice', name: 'Alice' }));

  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body['user'], { oid: 'alice', name: 'Alice' });
  assert.deepEqual(gate.outcomes, ['ok']);
});
