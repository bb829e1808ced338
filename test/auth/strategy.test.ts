import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BearerStrategy } from 'passport-azure-ad';
import { TenantBearerStrategy } from '../../src/auth/strategy.ts';
import { loadConfig } from '../../src/config.ts';
import { startTenant } from '../support/tenant.ts';
import { startGate } from './gate.ts';

const env = {
  B2C_TENANT_NAME: 'contoso',
  B2C_POLICY_NAME: 'b2c_1_susi,b2c_1a_custom',
  B2C_CLIENT_ID: 'client',
  MONGODB_URI: 'mongodb://unused.invalid/',
};
const nobody = () => Promise.reject(new Error('no token is good here'));

test('the strategy is the BearerStrategy of passport-azure-ad, under its name', () => {
  const strategy = new TenantBearerStrategy(loadConfig(env), nobody);

  assert.ok(strategy instanceof BearerStrategy);
  assert.equal(strategy.name, 'oauth-bearer');
  assert.deepEqual(Object.getOwnPropertyNames(TenantBearerStrategy.prototype).sort(), [
    'constructor',
    'jwtVerify',
    'loadMetadata',
  ]);
});

test("every token that is verified goes through the library's own authenticate, but remembered ones and rubbish do not", async (t) => {
  const gate = await startGate(t);
  const authenticate = t.mock.method(BearerStrategy.prototype, 'authenticate');
  const token = gate.tenant.issueToken();

  await gate.call(token);
  await gate.call(token);
  await gate.call(gate.tenant.issueToken());
  await gate.call(gate.tenant.issueToken({ aud: 'another-api' }));

  assert.equal(authenticate.mock.callCount(), 2);
});

const configurations: Record<string, Record<string, string>> = {
  'a custom policy': { B2C_POLICY_NAME: 'B2C_1A_Custom.v-2' },
  'no tolerance': { B2C_CLOCK_SKEW: '0' },
  'several issuers': { B2C_ISSUER: 'https://a.example/,https://b.example/' },
  'a plain issuer': {
    B2C_POLICY_NAME: '',
    B2C_IDENTITY_METADATA: 'https://id.example/.well-known/openid-configuration',
  },
  'a host name of many alphabets': {
    B2C_IDENTITY_METADATA: 'https://b\u00fccher.example/{policy}/openid-configuration',
  },
  'a common endpoint': { B2C_POLICY_NAME: '', B2C_IDENTITY_METADATA: 'https://id.example/common/openid-configuration' },
  'any issuer': { B2C_VALIDATE_ISSUER: 'false' },
};
for (const [what, change] of Object.entries(configurations)) {
  test(`the library takes a configuration with ${what}`, (t) => {
    const written = t.mock.method(process.stdout, 'write', () => true);

    const strategy = new TenantBearerStrategy(loadConfig({ ...env, ...change }), nobody);

    assert.ok(strategy instanceof BearerStrategy);
    // Its own logger writes to stdout, in another format than ours.
    assert.equal(written.mock.callCount(), 0);
  });
}

test('a common endpoint of a plain issuer works through the library', async (t) => {
  const tenant = await startTenant(t);
  const B2C_IDENTITY_METADATA = `${tenant.url}/common/v2.0/.well-known/openid-configuration`;
  const gate = await startGate(t, { tenant, env: { B2C_POLICY_NAME: '', B2C_IDENTITY_METADATA } });

  assert.equal((await gate.call(tenant.issueToken())).status, 200);
});

test('a path with /common/ in it is nothing special for a policy either', async (t) => {
  const tenant = await startTenant(t);
  const B2C_IDENTITY_METADATA = `${tenant.url}/common/{policy}/v2.0/.well-known/openid-configuration`;
  const gate = await startGate(t, { tenant, env: { B2C_IDENTITY_METADATA } });

  assert.equal((await gate.call(tenant.issueToken())).status, 200);
});
