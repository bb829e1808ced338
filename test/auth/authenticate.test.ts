import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { movableClock } from '../support/clock.ts';
import { signingKey } from '../support/tenant.ts';
import { until } from '../support/until.ts';
import { startGate } from './gate.ts';

test('a token that the tenant issued is accepted, and says who calls', async (t) => {
  const gate = await startGate(t);

  const answer = await gate.call(gate.tenant.issueToken({ oid: 'alice', name: 'Alice' }));

  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body['user'], { oid: 'alice', name: 'Alice' });
  assert.deepEqual(gate.outcomes, ['ok']);
});

test('the users of interleaved requests are never mixed up', async (t) => {
  const gate = await startGate(t);
  const users = Array.from({ length: 60 }, (_, i) => `user-${i % 6}`);
  const tokens = new Map(users.map((oid) => [oid, gate.tenant.issueToken({ oid, name: oid })]));

  const answers = await Promise.all(users.map((oid) => gate.call(tokens.get(oid))));

  assert.deepEqual(
    answers.map(({ body }) => body['user']),
    users.map((oid) => ({ oid, name: oid })),
  );
});

test('every outcome is counted, and every request ends for restify too', async (t) => {
  const gate = await startGate(t);

  await gate.call(gate.tenant.issueToken());
  await gate.call();
  await gate.call('nonsense');
  await gate.call(['Authorization', 'Bearer']);
  await gate.call(gate.tenant.issueToken({ expiresIn: -1_000 }));
  await gate.call(gate.tenant.issueToken({ scp: undefined }), '/read');

  assert.deepEqual(gate.outcomes, [
    'ok',
    'no_token',
    'malformed',
    'invalid_request',
    'expired',
    'ok',
    'insufficient_scope',
  ]);
  assert.equal(gate.inflightRequests(), 0);
});

test('a client that goes away while its token waits for keys leaves nothing behind', async (t) => {
  const gate = await startGate(t, { isStarted: false, tenantTimeoutMs: 300 });
  gate.tenant.break('hang');
  const outgoing = request(`${gate.url}/me`, { headers: { Authorization: `Bearer ${gate.tenant.issueToken()}` } });
  outgoing.on('error', () => undefined);
  outgoing.end();
  await until(() => gate.tenant.requests.metadata === 1);

  outgoing.destroy();

  await until(() => gate.outcomes.length === 1 && gate.inflightRequests() === 0);
  assert.deepEqual(gate.outcomes, ['tenant_unavailable']);
});

test('a token that was good is remembered, and no other one is', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });
  const token = gate.tenant.issueToken();
  const forged = gate.tenant.issueToken({ key: { ...signingKey('stranger'), kid: gate.tenant.key.kid } });

  const before = await gate.isRemembered(token);
  await gate.call(token);
  await gate.call(forged);

  assert.equal(before, false);
  assert.equal(await gate.isRemembered(token), true);
  assert.equal(await gate.isRemembered(forged), false);
  assert.equal(await gate.isRemembered(['authorization', `bearer ${token}`]), true);
  assert.equal(await gate.isRemembered(['Authorization', token]), false);
  assert.equal(await gate.isRemembered([]), false);

  clock.advance(2 * 3_600_000);
  await gate.call(token);
  assert.equal(await gate.isRemembered(token), false);
});
