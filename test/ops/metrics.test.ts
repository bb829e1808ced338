import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Outcome } from '../../src/auth/authenticate.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { startServer } from '../support/server.ts';
import { scrape, startOps } from './support.ts';

const LINE = /^(# (HELP|TYPE) \w+ .+|[a-z_0-9]+(\{.*\})? ([\d.e+-]+|\+Inf|Nan))$/;
const COUNT = 'http_request_duration_seconds_count';

test('requests are counted by method, route name and status', async (t) => {
  const { url, scrape } = await startOps(t);

  await fetch(`${url}/healthz`);
  await fetch(`${url}/healthz`, { method: 'HEAD' });
  await fetch(`${url}/healthz`, { headers: { Accept: 'text/html' } });

  assert.equal(await scrape(`${COUNT}{method="GET",route="GetHealth",status="200"}`), 1);
  assert.equal(await scrape(`${COUNT}{method="HEAD",route="HeadHealth",status="200"}`), 1);
  assert.equal(await scrape(`${COUNT}{method="GET",route="GetHealth",status="406"}`), 1);
});

test('a client cannot make new series: what no route matches is "none", and an odd method "other"', async (t) => {
  const { url, metrics, scrape } = await startOps(t);

  for (let i = 0; i < 20; i += 1) await fetch(`${url}/nothing/${i}`);
  await new Promise((resolve) => request(`${url}/nothing`, { method: 'PROPFIND' }, resolve).end());

  assert.equal(await scrape(`${COUNT}{method="GET",route="none",status="404"}`), 20);
  assert.match(await metrics.text(), /method="other",route="none"/);
  assert.doesNotMatch(await metrics.text(), /PROPFIND|nothing/);
});

test('metrics are computed once a second, however often they are asked for', async (t) => {
  const { url, clock } = await startOps(t);
  const ask = (): Promise<number | undefined> => scrape(url, `${COUNT}{method="GET",route="GetHealth",status="200"}`);

  await ask();
  await fetch(`${url}/healthz`);
  const atOnce = await ask();
  clock.advance(1_000);
  const later = await ask();

  assert.deepEqual([atOnce, later], [undefined, 1]);
});

test('every outcome is counted from 0, so that the first one is seen', async (t) => {
  const { scrape } = await startOps(t);
  const outcomes: Record<Outcome, 0> = {
    ok: 0,
    no_token: 0,
    invalid_request: 0,
    insufficient_scope: 0,
    tenant_unavailable: 0,
    error: 0,
    malformed: 0,
    algorithm: 0,
    critical: 0,
    type: 0,
    no_kid: 0,
    expired: 0,
    not_yet_valid: 0,
    lifetime: 0,
    audience: 0,
    policy: 0,
    no_oid: 0,
    issuer: 0,
    unknown_key: 0,
    signature: 0,
    app_only: 0,
    owner: 0,
  };

  for (const outcome of Object.keys(outcomes)) {
    assert.equal(await scrape(`authentications_total{outcome="${outcome}"}`), 0, outcome);
  }
  for (const bucket of ['user', 'address']) {
    assert.equal(await scrape(`http_requests_throttled_total{bucket="${bucket}"}`), 0);
  }
  for (const result of ['ok', 'failed']) {
    assert.equal(await scrape(`tenant_key_fetch_duration_seconds_count{result="${result}"}`), 0);
  }
});

test('servers in one process do not count each other’s requests', async (t) => {
  const [first, second] = [await startOps(t), await startOps(t)];

  await fetch(`${first.url}/healthz`);

  assert.equal(await second.scrape(`${COUNT}{method="GET",route="GetHealth",status="200"}`), undefined);
});

test('readiness is asked at each scrape', async (t) => {
  const { state, scrape } = await startOps(t);
  assert.deepEqual([await scrape('store_ready'), await scrape('tenant_keys_ready')], [1, 1]);

  Object.assign(state, { store: false, keys: false });

  assert.deepEqual([await scrape('store_ready'), await scrape('tenant_keys_ready')], [0, 0]);
});

test('the process is described as well: memory, processor, event loop', async (t) => {
  const { url, scrape } = await startOps(t);

  const { headers } = await fetch(`${url}/metrics`);

  assert.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  for (const name of [
    'process_resident_memory_bytes',
    'process_cpu_seconds_total',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    assert.equal(typeof (await scrape(name)), 'number', name);
  }
});

test('each line is in the text exposition format, and no metric is declared twice', async (t) => {
  const { metrics } = await startOps(t);
  metrics.countAuthentication('ok');
  metrics.observeKeyFetch('failed', 0.2);
  metrics.countThrottled('user');

  const lines = (await metrics.text())
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');

  for (const line of lines) assert.match(line, LINE);
  const declared = lines.filter((line) => line.startsWith('# TYPE'));
  assert.equal(new Set(declared).size, declared.length);
});

test('authentications, key fetches and throttled requests of a running server are counted', async (t) => {
  const { url, as, anonymous } = await startServer(t, { env: { THROTTLE_RATE: '0.001', THROTTLE_BURST: '2' } });

  for (let i = 0; i < 3; i += 1) await as('alice').get('/hello');
  for (let i = 0; i < 3; i += 1) await anonymous.get('/hello');

  assert.equal(await scrape(url, 'authentications_total{outcome="ok"}'), 3);
  assert.equal(await scrape(url, 'authentications_total{outcome="no_token"}'), 2);
  assert.equal(await scrape(url, 'http_requests_throttled_total{bucket="user"}'), 1);
  assert.equal(await scrape(url, 'http_requests_throttled_total{bucket="address"}'), 1);
  assert.equal(await scrape(url, 'tenant_key_fetch_duration_seconds_count{result="ok"}'), 1);
});

test('metrics neither keep a process alive nor grow with the number of servers', async () => {
  const script = `
    import { createMetrics } from ${JSON.stringify(new URL('../../src/ops/metrics.ts', import.meta.url).href)};
    const count = async (servers) => {
      for (let i = 0; i < servers; i += 1) await createMetrics().text();
      await new Promise((resolve) => setImmediate(resolve));
      return process.getActiveResourcesInfo().length;
    };
    console.log(JSON.stringify([await count(1), await count(50)]));
  `;

  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);

  const [one = NaN, fifty = NaN] = JSON.parse(stdout) as number[];
  assert.ok(fifty < one + 10, stdout);
});

test('a server that nobody asks for metrics still knows them', async () => {
  const metrics = createMetrics();

  metrics.countThrottled('address');

  assert.match(await metrics.text(), /http_requests_throttled_total\{bucket="address"\} 1/);
});
