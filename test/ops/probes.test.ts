import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectProblem } from '../support/client.ts';
import { type Ops, startOps } from './support.ts';

test('a process that serves is healthy, whatever else is missing', async (t) => {
  const { url, state } = await startOps(t);
  Object.assign(state, { store: false, keys: false, draining: true });

  const response = await fetch(`${url}/healthz`);

  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { status: 'ok' });
});

test('an instance with its store and its keys is ready', async (t) => {
  const { url } = await startOps(t);

  const response = await fetch(`${url}/readyz`);

  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { status: 'ready' });
});

const lacks: Record<string, [Partial<Ops['state']>, string]> = {
  'without its store': [{ store: false }, 'not ready: the store does not answer'],
  'without keys': [{ keys: false }, "not ready: the tenant's keys are not known"],
  'that is stopping': [{ draining: true }, 'not ready: this instance is stopping'],
  'that lacks both': [
    { store: false, keys: false },
    "not ready: the store does not answer, the tenant's keys are not known",
  ],
};
for (const [lack, [change, message]] of Object.entries(lacks)) {
  test(`an instance ${lack} is not ready, and says so`, async (t) => {
    const { url, state } = await startOps(t);
    Object.assign(state, change);

    const response = await fetch(`${url}/readyz`);

    await expectProblem(response, 503, 'NotReady', message);
    assert.equal(response.headers.get('retry-after'), '2');
  });
}

test('probes answer HEAD too, without a body', async (t) => {
  const { url, state } = await startOps(t);

  const ready = await fetch(`${url}/readyz`, { method: 'HEAD' });
  state.store = false;
  const unready = await fetch(`${url}/readyz`, { method: 'HEAD' });

  assert.deepEqual([ready.status, unready.status], [200, 503]);
  assert.equal(await unready.text(), '');
});

test('a policy without keys is named, and keeps no instance from being ready', async (t) => {
  const { url, state, scrape } = await startOps(t);
  state.policies = new Map([
    ['b2c_1_susi', true],
    ['external-id', false],
  ]);

  const response = await fetch(`${url}/readyz`);

  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { status: 'ready', withoutKeys: ['external-id'] });
  assert.equal(await scrape('tenant_policy_keys_ready{policy="b2c_1_susi"}'), 1);
  assert.equal(await scrape('tenant_policy_keys_ready{policy="external-id"}'), 0);
});
