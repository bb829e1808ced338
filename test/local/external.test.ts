/** The tenant of Entra External ID beside that of B2C. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRemoteJWKSet, customFetch, type JWTPayload, jwtVerify } from 'jose';
import { EXTERNAL_CLIENT_ID, EXTERNAL_TENANT_ID, OWNER_CLAIM, userNamed } from '../../src/local/tenant/identity.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { authorizeUrl, FROM_SIGN_IN_PAGE, redemption } from './signIn.ts';
import { type Client, run, startTestTenant } from './support.ts';

const METADATA = `/${EXTERNAL_TENANT_ID}/v2.0/.well-known/openid-configuration`;
const B2C_METADATA = '/tasksdev.onmicrosoft.com/b2c_1_signin/v2.0/.well-known/openid-configuration';

/** Verifies as an API would: by what the tenant publishes, and nothing of B2C's. */
async function verify(client: Client, token: string): Promise<JWTPayload> {
  const { issuer, jwks_uri } = await documentAt(client, METADATA);
  const get = (target: string) => client.get(target) as unknown as Promise<globalThis.Response>;
  const keys = createRemoteJWKSet(new URL(jwks_uri ?? ''), { [customFetch]: get });
  return (await jwtVerify(token, keys, { issuer: issuer ?? '', audience: EXTERNAL_CLIENT_ID, algorithms: ['RS256'] }))
    .payload;
}

async function documentAt(client: Client, path: string): Promise<Record<string, string>> {
  const response = await client.get(path);
  assert.equal(response.status, 200);
  return (await response.json()) as Record<string, string>;
}

test('its metadata has no policy and no slash at the end of the issuer, with and without appid', async (t) => {
  const client = await startTestTenant(t);

  const plain = await documentAt(client, METADATA);
  const ofApp = await documentAt(client, `${METADATA}?appid=${EXTERNAL_CLIENT_ID}`);

  assert.equal(plain['issuer'], `${client.tenant.origin}/${EXTERNAL_TENANT_ID}/v2.0`);
  assert.equal(client.tenant.externalMetadataUrl, client.tenant.origin + METADATA);
  assert.deepEqual(ofApp, plain);
});

test('its keys are not those of B2C', async (t) => {
  const client = await startTestTenant(t);

  const [own, b2c] = await Promise.all(
    [METADATA, B2C_METADATA].map(async (path) => {
      const { keys } = (await (await client.get((await documentAt(client, path))['jwks_uri'] ?? '')).json()) as {
        keys: Record<string, string>[];
      };
      return keys[0];
    }),
  );

  assert.notEqual(own?.['kid'], b2c?.['kid']);
  assert.notEqual(own?.['n'], b2c?.['n']);
  assert.equal(own?.['d'], undefined);
});

test('npm run token -- --external prints one of its tokens, with the object id in B2C when asked', async (t) => {
  const directory = await temporaryDirectory(t);
  const print = (...args: string[]) =>
    run(process.execPath, ['src/local/token.ts', '--external', ...args], { DEV_DATA_DIR: directory });

  const [plain, moved] = await Promise.all([
    print('--name', 'Alice', '--scope', 'tasks.read', '--expires-in', '60'),
    print('--oid', 'new-alice', '--b2c-oid', 'alice'),
  ]);

  const client = await startTestTenant(t, join(directory, 'tenant'));
  const { iat, nbf, exp, sub, ...claims } = await verify(client, plain.stdout.trim());
  const { oid } = userNamed('Alice', EXTERNAL_TENANT_ID);
  assert.deepEqual(claims, {
    iss: `${client.tenant.origin}/${EXTERNAL_TENANT_ID}/v2.0`,
    aud: EXTERNAL_CLIENT_ID,
    azp: EXTERNAL_CLIENT_ID,
    azpacr: '0',
    oid,
    name: 'Alice',
    preferred_username: 'alice@example.com',
    scp: 'tasks.read',
    tid: EXTERNAL_TENANT_ID,
    ver: '2.0',
  });
  assert.notEqual(oid, userNamed('Alice').oid);
  assert.notEqual(sub, oid);
  assert.deepEqual([nbf, exp], [iat, Number(iat) + 60]);
  const ofMoved = await verify(client, moved.stdout.trim());
  assert.equal(ofMoved['oid'], 'new-alice');
  assert.equal(ofMoved[OWNER_CLAIM], 'alice');
});

test('whoever signs in there was moved from B2C, and may ask for all scopes by .default', async (t) => {
  const client = await startTestTenant(t);
  const path = `/${EXTERNAL_TENANT_ID}/oauth2/v2.0`;
  const change = {
    client_id: EXTERNAL_CLIENT_ID,
    scope: `openid email api://${EXTERNAL_CLIENT_ID}/.default`,
    dev_user: 'Alice',
  };
  const query = authorizeUrl(change).split('?')[1] ?? '';

  const back = await client.ask(`${path}/authorize?${query}`, FROM_SIGN_IN_PAGE);
  const code = new URL(back.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const response = await client.postForm(`${path}/token`, { ...redemption(code), client_id: EXTERNAL_CLIENT_ID });

  assert.equal(response.status, 200);
  const tokens = (await response.json()) as Record<string, string>;
  const claims = await verify(client, tokens['access_token'] ?? '');
  assert.equal(claims['oid'], userNamed('Alice', EXTERNAL_TENANT_ID).oid);
  assert.equal(claims[OWNER_CLAIM], userNamed('Alice').oid);
  assert.equal(claims['scp'], 'tasks.read tasks.write');
  assert.equal((await verify(client, tokens['id_token'] ?? ''))['nonce'], 'n-1');
});

test('it has no policies, and B2C has none of its paths', async (t) => {
  const client = await startTestTenant(t);

  for (const path of [
    `/${EXTERNAL_TENANT_ID}/b2c_1_signin/v2.0/.well-known/openid-configuration`,
    `/${EXTERNAL_TENANT_ID}`,
  ]) {
    assert.equal((await client.get(path)).status, 404, path);
  }
});
