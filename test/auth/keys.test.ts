/** The tenant's troubles are not the users'. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { movableClock } from '../support/clock.ts';
import { type Fault, startTenant } from '../support/tenant.ts';
import { until } from '../support/until.ts';
import { type Answer, startGate } from './gate.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
/** In real time: short where the tenant never answers, since the test waits for it; long elsewhere, for slow machines. */
const timeoutFor = (fault: Fault): number => (fault === 'hang' || fault === 'drip' ? 2_000 : 30_000);

const faults: Fault[] = ['down', 'html', 'null', 'empty', 'truncated', 'error', 'huge', 'redirect', 'hang', 'drip'];
const places = ['metadata', 'keys'] as const;

// Side by side, since some of them really wait.
describe('a tenant in trouble', { concurrency: 8 }, () => {
  for (const fault of faults) {
    for (const place of places) {
      test(`before any keys are known, requests are 503 with the fault "${fault}" of ${place}`, async (t) => {
        const clock = movableClock();
        const gate = await startGate(t, { clock, isStarted: false, tenantTimeoutMs: timeoutFor(fault) });
        gate.tenant.break(fault, place);
        const token = gate.tenant.issueToken();

        const answers = await Promise.all([gate.call(token), gate.call(token), gate.call(token)]);

        for (const answer of answers) {
          assert.equal(answer.status, 503);
          assert.equal(answer.body['code'], 'TenantUnavailable');
          assert.equal(answer.challenge, undefined);
          assert.equal(answer.retryAfter, '10');
        }
        assert.ok(!gate.authentication.keys.isReady());

        gate.tenant.heal();
        // On a slow machine a healthy tenant may be late too, and is asked again.
        await until(async () => {
          clock.advance(10 * SECOND);
          return (await gate.call(token)).status === 200;
        });
        assert.ok(gate.authentication.keys.isReady());
      });

      test(`while keys are known, nobody notices the fault "${fault}" of ${place}`, async (t) => {
        const clock = movableClock();
        const gate = await startGate(t, { clock, tenantTimeoutMs: timeoutFor(fault) });
        gate.tenant.break(fault, place);

        clock.advance(HOUR);
        const answer = await gate.call(gate.tenant.issueToken());

        assert.equal(answer.status, 200);
        await until(() => gate.fetches.length === 2);
        assert.deepEqual(gate.fetches, ['ok', 'failed']);
        assert.equal((await gate.call(gate.tenant.issueToken())).status, 200);
        assert.ok(gate.authentication.keys.isReady());
      });
    }
  }
});

test('known keys are good for 24 hours without the tenant, and not longer', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });
  const token = gate.tenant.issueToken({ expiresIn: 24 * 3600 });
  await gate.call(token);
  gate.tenant.break('down', 'both');

  clock.advance(24 * HOUR - 1);
  const before = await gate.call(token);
  await until(() => gate.fetches.length === 2);
  clock.advance(1);
  const after = await gate.call(token);

  assert.equal(before.status, 200);
  assert.equal(after.status, 503);
  assert.ok(!gate.authentication.keys.isReady());

  gate.tenant.heal();
  clock.advance(10 * SECOND);
  assert.equal((await gate.call(token)).status, 200);
});

test('keys are refreshed every hour, and not before', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });

  for (let i = 0; i < 5; i += 1) {
    clock.advance(10 * 60 * SECOND);
    await gate.call(gate.tenant.issueToken());
  }
  assert.equal(gate.tenant.requests.metadata, 1);

  clock.advance(10 * 60 * SECOND);
  await gate.call(gate.tenant.issueToken());
  await until(() => gate.fetches.length === 2);
  assert.deepEqual(gate.tenant.requests, { metadata: 2, keys: 2, other: 0 });
});

test('a remembered token keeps the hourly refresh going too', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });
  const token = gate.tenant.issueToken({ expiresIn: 12 * 3600 });
  await gate.call(token);

  clock.advance(HOUR);
  await gate.call(token);

  await until(() => gate.fetches.length === 2);
});

test('without any traffic, a failed start is repaired in the background', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock, isStarted: false });
  gate.tenant.break('down');
  gate.authentication.keys.start();
  await until(() => gate.fetches.length === 1);

  gate.tenant.heal();
  clock.advance(SECOND);

  await until(() => gate.authentication.keys.isReady());
});

test('the start waits for no tenant, and one fetch serves all who wait for it', async (t) => {
  const gate = await startGate(t, { clock: movableClock(), isStarted: false });
  gate.authentication.keys.start();
  const tokens = Array.from({ length: 50 }, () => gate.tenant.issueToken());

  const answers = await Promise.all(tokens.map((token) => gate.call(token)));

  assert.ok(answers.every(({ status }) => status === 200));
  assert.deepEqual(gate.tenant.requests, { metadata: 1, keys: 1, other: 0 });
});

test('tokens fetch the keys even when nothing was started', async (t) => {
  const gate = await startGate(t, { isStarted: false });

  const answers = await Promise.all([1, 2, 3].map(() => gate.call(gate.tenant.issueToken())));

  assert.ok(answers.every(({ status }) => status === 200));
  assert.deepEqual(gate.tenant.requests, { metadata: 1, keys: 1, other: 0 });
});

test('a key rollover is noticed by no user, not even right after the start', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });
  const { tenant } = gate;
  const old = tenant.issueToken({ oid: 'alice' });
  tenant.rotate('second');
  const fresh = Array.from({ length: 20 }, () => tenant.issueToken());

  const answers = await Promise.all([old, ...fresh].map((token) => gate.call(token)));

  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(tenant.requests.metadata, 2);
});

test('the hourly refresh does not count against the next rollover', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });
  clock.advance(HOUR);
  await gate.call(gate.tenant.issueToken());
  await until(() => gate.fetches.length === 2);
  gate.tenant.rotate('second');

  const answer = await gate.call(gate.tenant.issueToken());

  assert.equal(answer.status, 200);
});

test('a flood of forged key ids is noticed neither by the tenant nor by users', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });
  const { tenant } = gate;
  const forged = (kid: number) => tenant.issueToken({ header: { kid: `forged-${kid}` } });

  for (let round = 0; round < 3; round += 1) {
    const calls = Array.from({ length: 60 }, (_, i) => gate.call(i % 3 === 0 ? tenant.issueToken() : forged(i)));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    assert.ok(statuses.every((status, i) => status === (i % 3 === 0 ? 200 : 401)));
    assert.equal(tenant.requests.metadata, 2 + round);
    clock.advance(10 * SECOND);
  }
});

test('within 10 seconds of a refetch, an unknown key is 401 when that one succeeded and 503 when it failed', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });
  const unknown = gate.tenant.issueToken({ header: { kid: 'unknown' } });

  const asked = await gate.call(unknown);
  gate.tenant.break('down');
  clock.advance(10 * SECOND - 1);
  const early = await gate.call(unknown);
  clock.advance(1);
  const failed = await gate.call(unknown);
  gate.tenant.heal();
  clock.advance(7 * SECOND);
  const healed = await gate.call(gate.tenant.issueToken());
  await until(() => gate.fetches.length === 4);
  const answeredAgain = await gate.call(unknown);

  assert.deepEqual(
    [asked, early, failed, healed, answeredAgain].map(({ status }) => status),
    [401, 401, 503, 200, 401],
  );
  assert.equal(failed.retryAfter, '10');
  assert.deepEqual(gate.fetches, ['ok', 'ok', 'failed', 'ok']);
});

test("while the last fetch has failed, an unknown key is nobody's fault", async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });
  gate.tenant.break('down');
  const unknown = gate.tenant.issueToken({ header: { kid: 'unknown' } });

  const first = await gate.call(unknown);
  const second = await gate.call(unknown);

  assert.deepEqual([first.status, second.status], [503, 503]);
  assert.equal(second.retryAfter, '10');
  assert.equal((await gate.call(gate.tenant.issueToken())).status, 200);
});

test('however long the tenant was down, a token that needs keys asks again after 10 seconds', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock, isStarted: false });
  gate.tenant.break('down');
  for (let i = 0; i < 30; i += 1) {
    clock.advance(10 * 60 * SECOND);
    assert.equal((await gate.call(gate.tenant.issueToken())).status, 503);
  }
  gate.tenant.heal();

  clock.advance(10 * SECOND);

  assert.equal((await gate.call(gate.tenant.issueToken())).status, 200);
});

test('a token that needs keys does not pay for a background fetch that hangs', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });
  gate.tenant.break('hang');
  clock.advance(HOUR);
  await gate.call(gate.tenant.issueToken());
  await until(() => gate.tenant.requests.metadata === 2);
  gate.tenant.heal();
  gate.tenant.rotate('second');

  const answer = await gate.call(gate.tenant.issueToken());

  assert.equal(answer.status, 200);
  assert.deepEqual(gate.fetches, ['ok', 'ok']);
});

test('no more than 200 requests wait for keys at once, and known keys serve all the while', async (t) => {
  const gate = await startGate(t, { clock: movableClock(), tenantTimeoutMs: 60_000 });
  gate.tenant.break('hang');
  const unknown = gate.tenant.issueToken({ header: { kid: 'unknown' } });
  const answers: Answer[] = [];
  const calls = Array.from({ length: 210 }, async () => answers.push(await gate.call(unknown)));

  await until(() => answers.length === 10);
  const known = await gate.call(gate.tenant.issueToken());
  const waiting = gate.inflightRequests();
  await gate.authentication.keys.close();
  await Promise.all(calls);

  assert.equal(known.status, 200);
  assert.equal(waiting, 200);
  for (const { status, body, retryAfter } of answers) {
    assert.deepEqual([status, body['code'], retryAfter], [503, 'TenantUnavailable', '10']);
  }
  assert.equal(gate.tenant.requests.metadata, 2);
});

test('a token that needs no keys is refused without waiting for any', async (t) => {
  const gate = await startGate(t, { isStarted: false });
  gate.tenant.break('hang');

  const expired = await gate.call(gate.tenant.issueToken({ expiresIn: -1000 }));
  const foreign = await gate.call(gate.tenant.issueToken({ aud: 'another-api' }));

  assert.deepEqual([expired.status, foreign.status], [401, 401]);
  assert.equal(gate.tenant.requests.metadata, 0);
});

test('setting the clock back delays no refresh', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });

  clock.advance(-5 * HOUR);
  const answer = await gate.call(gate.tenant.issueToken());

  assert.equal(answer.status, 200);
  await until(() => gate.fetches.length === 2);
});

test('keys that were fetched before the clock was set back are good for 24 hours from then, and not longer', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });
  const token = gate.tenant.issueToken({ expiresIn: 24 * 3600 - 300 });
  gate.tenant.break('down', 'both');

  clock.advance(-5 * 24 * HOUR);
  await until(() => gate.fetches.length === 2);
  clock.advance(24 * HOUR);

  assert.ok(!gate.authentication.keys.isReady());
  assert.equal((await gate.call(gate.tenant.issueToken())).status, 503);
  clock.advance(4 * 24 * HOUR);
  assert.equal((await gate.call(token)).status, 503);
});

test('one policy without keys refuses only its own tokens, and the server stays ready for the others', async (t) => {
  const tenant = await startTenant(t, { policies: ['b2c_1_a', 'b2c_1_b'] });
  tenant.editMetadata = (document, policy) => (policy === 'b2c_1_b' ? null : document);
  const gate = await startGate(t, { tenant, isStarted: false });

  const a = await gate.call(tenant.issueToken({ tfp: 'b2c_1_a' }));
  const b = await gate.call(tenant.issueToken({ tfp: 'b2c_1_b' }));

  assert.deepEqual([a.status, b.status], [200, 503]);
  assert.ok(gate.authentication.keys.isReady());
  assert.deepEqual(Object.fromEntries(gate.authentication.keys.policies()), { b2c_1_a: true, b2c_1_b: false });
  const told = gate.logs.find(({ msg }) => msg === 'tenant keys not fetched');
  assert.ok(told);
  assert.equal(told['policy'], 'b2c_1_b');
  assert.match(String(told['cure']), /npm run doctor/);
});

test('a server that closes while a fetch hangs does not wait for it', async (t) => {
  const gate = await startGate(t, { isStarted: false, tenantTimeoutMs: 60_000 });
  gate.tenant.break('hang');
  gate.authentication.keys.start();
  await until(() => gate.tenant.requests.metadata === 1);

  await gate.authentication.keys.close();

  assert.deepEqual(gate.fetches, ['failed']);
});

test('the outage and its end are in the log, without the answer that the tenant gave', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock, isStarted: false });
  gate.tenant.break('html');
  await gate.call(gate.tenant.issueToken());
  gate.tenant.heal();
  clock.advance(10 * SECOND);
  await gate.call(gate.tenant.issueToken());

  const messages = gate.logs.map((line) => line['msg']);
  assert.ok(messages.includes('tenant keys not fetched'));
  assert.ok(messages.includes('tenant keys known'));
  assert.ok(!JSON.stringify(gate.logs).includes('<html>'));
});

test('a tenant on the same port after a restart is found again', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock });
  await gate.tenant.close();
  await gate.tenant.listen();
  gate.tenant.rotate('second');

  assert.equal((await gate.call(gate.tenant.issueToken())).status, 200);
});
