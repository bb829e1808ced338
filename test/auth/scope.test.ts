import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGate } from './gate.ts';

const lacking: Record<string, unknown> = {
  'has no scope': undefined,
  'has another scope': 'tasks.write',
  'has a scope that only begins alike': 'tasks.readall',
  'has the scope in capitals': 'TASKS.READ',
  'has an empty scope': '',
  'has the scope in a list': ['tasks.read'],
  'has a number for a scope': 7,
  'has the scope between commas': 'tasks.read,tasks.write',
};
for (const [what, scp] of Object.entries(lacking)) {
  test(`a token that ${what} may not use what needs one`, async (t) => {
    const gate = await startGate(t);

    const answer = await gate.call(gate.tenant.issueToken({ scp }), '/read');

    assert.equal(answer.status, 403);
    assert.equal(answer.challenge, 'Bearer realm="Users", error="insufficient_scope", scope="tasks.read"');
    assert.equal(answer.body['code'], 'InsufficientScope');
    assert.deepEqual(gate.outcomes, ['ok', 'insufficient_scope']);
  });
}

for (const scp of ['tasks.read', 'tasks.write tasks.read', 'a  tasks.read ']) {
  test(`the scope is found in "${scp}"`, async (t) => {
    const gate = await startGate(t);

    const answer = await gate.call(gate.tenant.issueToken({ scp }), '/read');

    assert.equal(answer.status, 200);
  });
}

test('where no scope is configured, none is needed', async (t) => {
  const gate = await startGate(t);

  const answer = await gate.call(gate.tenant.issueToken({ scp: undefined }), '/free');

  assert.equal(answer.status, 200);
});
