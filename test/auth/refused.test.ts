import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGate } from './gate.ts';
import { refused, tokenOf } from './refusedTokens.ts';

for (const [what, row] of Object.entries(refused)) {
  const [reason, description] = row;
  test(`a token that ${what} is refused`, async (t) => {
    const gate = await startGate(t);
    const token = tokenOf(row, gate.tenant);

    const answer = await gate.call(token);

    assert.equal(answer.status, 401);
    assert.equal(answer.challenge, `Bearer realm="Users", error="invalid_token", error_description="${description}"`);
    assert.equal(answer.body['code'], 'Unauthorized');
    assert.equal(answer.body['message'], description);
    assert.deepEqual(gate.outcomes, [reason]);
    assert.ok(gate.logs.some((line) => line['msg'] === 'token refused' && line['reason'] === reason));
  });
}

test('the log names what was expected and what came, claim by claim, and the answer does not', async (t) => {
  const gate = await startGate(t);
  const { tenant } = gate;
  const token = tenant.issueToken({ aud: 'another-api', tfp: 'b2c_1_other', iss: 'https://elsewhere.example/' });
  const rightPolicy = tenant.issueToken({ aud: 'another-api', iss: 'https://elsewhere.example/' });

  const answers = [await gate.call(token), await gate.call(rightPolicy)];

  const [both, withIssuer] = gate.logs.filter((line) => line['msg'] === 'token refused');
  const audience = { subject: 'aud', expected: tenant.clientId, received: '"another-api"' };
  assert.deepEqual(both?.['mismatches'], [
    audience,
    { subject: 'tfp or acr', expected: 'b2c_1_susi', received: '"b2c_1_other"' },
  ]);
  assert.deepEqual(withIssuer?.['mismatches'], [
    audience,
    { subject: 'iss', expected: tenant.issuer, received: '"https://elsewhere.example/"' },
  ]);
  assert.ok(!JSON.stringify(answers).includes('another-api'));
});

test('no refusal puts a token into the log or into the answer', async (t) => {
  const gate = await startGate(t);
  const tokens = Object.values(refused).map((row) => tokenOf(row, gate.tenant));

  const answers = [];
  for (const token of tokens) answers.push(await gate.call(token));

  const seen = JSON.stringify([gate.logs, answers]);
  for (const token of tokens) {
    for (const part of token.split('.').filter((text) => text.length > 20)) assert.ok(!seen.includes(part));
  }
});
