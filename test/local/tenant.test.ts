import assert from 'node:assert/strict';
import { test } from 'node:test';
import { b2c } from '../../src/local/tenant/authority.ts';
import { CLIENT_ID, POLICIES, TENANT_ID, userNamed } from '../../src/local/tenant/identity.ts';
import { loadTenantState } from '../../src/local/tenant/state.ts';
import { createSigner, signAccessToken } from '../../src/local/tenant/tokens.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { startTestTenant, trusting, verifyByMetadata } from './support.ts';

const METADATA = 'v2.0/.well-known/openid-configuration';

const forms = {
  'the policy in the path': `/tasksdev.onmicrosoft.com/b2c_1_signin/${METADATA}`,
  'the policy in the path and the query': `/tasksdev.onmicrosoft.com/b2c_1_signin/${METADATA}?p=b2c_1_signin`,
  'the policy in the query': `/tasksdev.onmicrosoft.com/${METADATA}?p=b2c_1_signin`,
  'the policy in mixed case': `/tasksdev.onmicrosoft.com/B2C_1_SignIn/${METADATA}`,
  'the older tfp in front': `/tfp/tasksdev.onmicrosoft.com/b2c_1_signin/${METADATA}`,
  'the oldest te in front': `/te/tasksdev.onmicrosoft.com/b2c_1_signin/${METADATA}`,
  'the short tenant name': `/tasksdev/b2c_1_signin/${METADATA}`,
  "the tenant's GUID": `/${TENANT_ID}/b2c_1_signin/${METADATA}`,
};
for (const [form, path] of Object.entries(forms)) {
  test(`the metadata is found with ${form}`, async (t) => {
    const { tenant, get } = await startTestTenant(t);

    const response = await get(path);

    assert.equal(response.status, 200);
    const metadata = (await response.json()) as Record<string, unknown>;
    const base = `${tenant.origin}/tasksdev.onmicrosoft.com/b2c_1_signin`;
    assert.equal(metadata['issuer'], `${tenant.origin}/${TENANT_ID}/v2.0/`);
    assert.equal(metadata['jwks_uri'], `${base}/discovery/v2.0/keys`);
    assert.equal(metadata['authorization_endpoint'], `${base}/oauth2/v2.0/authorize`);
    assert.equal(metadata['token_endpoint'], `${base}/oauth2/v2.0/token`);
    assert.deepEqual(metadata['id_token_signing_alg_values_supported'], ['RS256']);
  });
}

test('what B2C does not have is not found, and does not end the tenant', async (t) => {
  const { get } = await startTestTenant(t);
  const missing = [
    `/tasksdev.onmicrosoft.com/${METADATA}`,
    `/tasksdev.onmicrosoft.com/b2c_1_other/${METADATA}`,
    `/contoso.onmicrosoft.com/b2c_1_signin/${METADATA}`,
    '/tasksdev.onmicrosoft.com/b2c_1_signin/userinfo',
    '/%',
    '//',
  ];

  for (const path of missing) {
    assert.equal((await get(path)).status, 404, path);
  }

  assert.equal((await get(`/tasksdev.onmicrosoft.com/b2c_1_signin/${METADATA}`)).status, 200);
});

test('the published keys are public', async (t) => {
  const { get } = await startTestTenant(t);

  const response = await get('/tasksdev.onmicrosoft.com/discovery/v2.0/keys?p=b2c_1_signin');

  const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
  assert.deepEqual(
    keys.map((key) => Object.keys(key).sort()),
    [['alg', 'e', 'kid', 'kty', 'n', 'use']],
  );
});

test('a minted token verifies against the metadata of every policy, with the claims of B2C', async (t) => {
  const directory = await temporaryDirectory(t);
  const client = await startTestTenant(t, directory);
  const signer = createSigner(await loadTenantState(directory));
  const user = userNamed('Alice');

  for (const policy of POLICIES) {
    const wishes = { user, authority: b2c(policy), scope: 'tasks.read', expiresIn: 600 };
    const token = await signAccessToken(signer, wishes, { now: () => Date.now() });
    const { payload, protectedHeader } = await verifyByMetadata(client, token, policy);
    const { iat, nbf, exp, ...claims } = payload;
    assert.deepEqual(claims, {
      iss: `${client.tenant.origin}/${TENANT_ID}/v2.0/`,
      aud: CLIENT_ID,
      oid: user.oid,
      sub: user.oid,
      name: 'Alice',
      emails: ['alice@example.com'],
      tfp: policy,
      scp: 'tasks.read',
      azp: CLIENT_ID,
      ver: '1.0',
    });
    assert.equal(nbf, iat);
    assert.equal(exp, Number(iat) + 600);
    assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'kid', 'typ']);
  }
});

test("a user's object id is a GUID that depends on the name alone", () => {
  const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

  assert.match(userNamed('Alice').oid, guid);
  assert.equal(userNamed('Alice').oid, userNamed(' alice').oid);
  assert.notEqual(userNamed('Alice').oid, userNamed('Bob').oid);
});

test('nobody trusts the tenant without its certificate', async (t) => {
  const { tenant } = await startTestTenant(t);
  const stranger = await startTestTenant(t, await temporaryDirectory(t));

  const ask = trusting(t, stranger.tenant.certificate);

  await assert.rejects(ask(tenant.metadataUrl.replace('{policy}', 'b2c_1_signin')), (error: Error) => {
    return /certificate/i.test((error.cause as Error).message);
  });
});
