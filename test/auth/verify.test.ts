import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import bunyan from 'bunyan';
import { TenantKeys } from '../../src/auth/keys.ts';
import { TokenRefusedError } from '../../src/auth/refusal.ts';
import { TenantClient } from '../../src/auth/tenantClient.ts';
import { TokenVerifier } from '../../src/auth/verify.ts';
import { loadConfig } from '../../src/config.ts';
import { movableClock } from '../support/clock.ts';
import { signingKey, startTenant, type Tenant } from '../support/tenant.ts';

const HOUR = 3_600_000;

async function startVerifier(t: TestContext, changes: { tenant?: Tenant; env?: Record<string, string> } = {}) {
  const clock = movableClock();
  const tenant = changes.tenant ?? (await startTenant(t, { clock }));
  const config = loadConfig({ ...tenant.env, MONGODB_URI: 'mongodb://unused.invalid/', ...changes.env });
  const client = new TenantClient();
  t.after(() => client.close());
  const metadataUrl = tenant.metadataUrl();
  const log = bunyan.createLogger({ name: 'verifier', level: 100 });
  const policy = { name: 'b2c_1_susi', label: 'b2c_1_susi', metadataUrl };
  const keys = new TenantKeys({ policy, client, clock, log, timeoutMs: 5_000, onFetch: () => undefined });
  const verifier = new TokenVerifier(config, clock, () => keys);
  const verify = async (text: string) => verifier.recall(text) ?? (await verifier.prove(verifier.inspect(text)));
  return { clock, tenant, verify, remembers: (text: string) => verifier.remembers(text) };
}

function refusedFor(reason: string) {
  return (error: unknown) => error instanceof TokenRefusedError && error.findings[0].reason === reason;
}

test('a token that was good is remembered, and gives the same claims again', async (t) => {
  const { tenant, verify, remembers } = await startVerifier(t);
  const token = tenant.issueToken({ oid: 'alice' });

  const first = await verify(token);
  const second = await verify(token);

  assert.equal(first, second);
  assert.equal(remembers(token), true);
});

test('no refused token is remembered among the good', async (t) => {
  const { tenant, verify, remembers } = await startVerifier(t);
  const stranger = { ...signingKey('stranger'), kid: tenant.key.kid };
  const forged = [
    tenant.issueToken({ key: stranger }),
    tenant.issueToken({ expiresIn: -1_000 }),
    tenant.issueToken({ aud: 'another-api' }),
    tenant.issueToken({ iss: 'https://else.example/' }),
    tenant.issueToken({ key: signingKey('stranger') }),
    'nonsense',
  ];

  for (const token of forged) await assert.rejects(verify(token), TokenRefusedError);

  assert.deepEqual(forged.filter(remembers), []);
});

test('a bad token is refused in the same way each time it comes', async (t) => {
  const { tenant, verify } = await startVerifier(t);
  const stranger = { ...signingKey('stranger'), kid: tenant.key.kid };
  const bad = {
    signature: tenant.issueToken({ key: stranger }),
    expired: tenant.issueToken({ expiresIn: -1_000 }),
    malformed: 'nonsense',
  };

  for (const [reason, token] of Object.entries(bad)) {
    await assert.rejects(verify(token), refusedFor(reason));
    await assert.rejects(verify(token), refusedFor(reason));
  }
});

test('a bad token that comes again is described as it is now', async (t) => {
  const { clock, tenant, verify } = await startVerifier(t);
  const token = tenant.issueToken({ expiresIn: -1_000 });
  const received = async (): Promise<string> => {
    const refusal = await verify(token).catch((error: unknown) => error as TokenRefusedError);
    return (refusal as TokenRefusedError).findings[0].received;
  };
  const early = await received();

  clock.advance(HOUR);

  assert.match(early, /, 16 min 4[01] s ago$/);
  assert.match(await received(), /, 1 h 16 min ago$/);
});

test('an expired token is good again when the clock is set right', async (t) => {
  const { clock, tenant, verify } = await startVerifier(t);
  const token = tenant.issueToken({ oid: 'alice', expiresIn: 3_600 });
  clock.advance(2 * HOUR);
  await assert.rejects(verify(token), refusedFor('expired'));

  clock.advance(-2 * HOUR);

  assert.equal((await verify(token)).caller.oid, 'alice');
});

test('a token is good once its key is published under an id that another key had', async (t) => {
  const { clock, tenant, verify } = await startVerifier(t);
  const second = { ...signingKey('second'), kid: tenant.key.kid };
  const token = tenant.issueToken({ oid: 'alice', key: second, expiresIn: 12 * 3_600 });
  await assert.rejects(verify(token), refusedFor('signature'));
  tenant.publishedKeys = [second, signingKey('third')];
  clock.advance(HOUR);
  await verify(tenant.issueToken({ key: signingKey('third') }));

  assert.equal((await verify(token)).caller.oid, 'alice');
});

test('a remembered token is refused and forgotten once it has expired', async (t) => {
  const { clock, tenant, verify, remembers } = await startVerifier(t);
  const token = tenant.issueToken({ expiresIn: 600 });
  await verify(token);

  clock.advance(901_000);

  await assert.rejects(verify(token), refusedFor('expired'));
  assert.equal(remembers(token), false);
});

test('a remembered token is refused and forgotten once its key has disappeared from the tenant', async (t) => {
  const { clock, tenant, verify, remembers } = await startVerifier(t);
  const token = tenant.issueToken({ expiresIn: 12 * 3_600 });
  await verify(token);
  tenant.rotate('second', { keepOld: false });
  clock.advance(HOUR);

  // The first token of the new key makes the server fetch the tenant's new set.
  const newToken = tenant.issueToken();
  await verify(newToken);

  await assert.rejects(verify(token), refusedFor('unknown_key'));
  assert.equal(remembers(token), false);
  assert.equal(remembers(newToken), true);
});

test('a remembered token is verified again when its key id names another key', async (t) => {
  const { clock, tenant, verify } = await startVerifier(t);
  const token = tenant.issueToken({ expiresIn: 12 * 3_600 });
  await verify(token);
  tenant.publishedKeys = [{ ...signingKey('second'), kid: tenant.key.kid }, signingKey('third')];
  clock.advance(HOUR);
  await verify(tenant.issueToken({ key: signingKey('third') }));

  await assert.rejects(verify(token), refusedFor('signature'));
});

test('a remembered token stays remembered when the hourly answer brings the same keys', async (t) => {
  const { clock, tenant, verify } = await startVerifier(t);
  const token = tenant.issueToken({ expiresIn: 12 * 3_600 });
  const claims = await verify(token);

  clock.advance(HOUR);
  await verify(tenant.issueToken({ header: { kid: 'unknown' } })).catch(() => undefined);

  assert.equal(tenant.requests.metadata, 2);
  assert.equal(await verify(token), claims);
});

test('a remembered token is refused once the tenant has another issuer', async (t) => {
  const { clock, tenant, verify } = await startVerifier(t);
  const token = tenant.issueToken({ expiresIn: 12 * 3_600 });
  await verify(token);
  tenant.editMetadata = (document) => ({ ...document, issuer: 'https://new.example/' });
  clock.advance(HOUR);
  await verify(tenant.issueToken({ header: { kid: 'unknown' } })).catch(() => undefined);

  await assert.rejects(verify(token), refusedFor('issuer'));
});

test('no request can change the claims that the next one sees', async (t) => {
  const { tenant, verify } = await startVerifier(t);
  const { claims } = await verify(tenant.issueToken({ oid: 'alice', emails: ['a@example.com'], deep: { a: [{}] } }));

  assert.throws(() => Object.assign(claims, { oid: 'mallory' }), TypeError);
  assert.throws(() => (claims['emails'] as string[]).push('m@example.com'), TypeError);
  assert.throws(() => Object.assign((claims['deep'] as { a: object[] }).a[0] ?? {}, { x: 1 }), TypeError);
});

test('what is remembered is bounded', async (t) => {
  const { tenant, verify, remembers } = await startVerifier(t);
  const filler = 'x'.repeat(40_000);

  const tokens = Array.from({ length: 400 }, () => tenant.issueToken({ filler }));
  for (const token of tokens) await verify(token);

  // 16 million characters, some 55,000 each.
  assert.ok(tokens.filter(remembers).length < 320);
});
