import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { readKeys, readMetadata, UnusableAnswerError } from '../../src/auth/keySet.ts';
import { movableClock } from '../support/clock.ts';
import { publicJwk, signingKey, startTenant } from '../support/tenant.ts';
import { until } from '../support/until.ts';
import { startGate } from './gate.ts';

const good = () => publicJwk(signingKey('first'));
const shortKey = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
const ecKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const metadata = { issuer: 'https://issuer.example/', jwks_uri: 'https://issuer.example/keys' };

const uselessMetadata: Record<string, unknown> = {
  null: null,
  'a list': [metadata],
  'a text': 'metadata',
  'an empty object': {},
  'one without an issuer': { ...metadata, issuer: undefined },
  'one with an empty issuer': { ...metadata, issuer: '' },
  'one for any tenant': { ...metadata, issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' },
  'one with a list of issuers': { ...metadata, issuer: ['https://issuer.example/'] },
  'one without jwks_uri': { ...metadata, jwks_uri: undefined },
  'one with a number for a jwks_uri': { ...metadata, jwks_uri: 7 },
  'one with keys over http': { ...metadata, jwks_uri: 'http://issuer.example/keys' },
  'one with keys in a file': { ...metadata, jwks_uri: 'file:///etc/keys' },
  'one with keys in itself': { ...metadata, jwks_uri: 'data:application/json,{}' },
  'one with a relative jwks_uri': { ...metadata, jwks_uri: '/keys' },
};
for (const [what, document] of Object.entries(uselessMetadata)) {
  test(`metadata that is ${what} is not adopted`, () => {
    assert.throws(() => readMetadata(document), UnusableAnswerError);
  });
}

const uselessKeys: Record<string, unknown> = {
  null: null,
  'a list': [good()],
  'an empty object': {},
  'an object of keys': { keys: { first: good() } },
  'an empty list': { keys: [] },
  'a list of null': { keys: [null] },
  'a list of text': { keys: ['key'] },
  'a key without an id': { keys: [{ ...good(), kid: undefined }] },
  'a key with an empty id': { keys: [{ ...good(), kid: '' }] },
  'a key with a number for an id': { keys: [{ ...good(), kid: 7 }] },
  'an elliptic key': { keys: [{ ...ecKey, kid: 'ec' }] },
  'a secret': { keys: [{ kty: 'oct', kid: 'secret', k: 'c2VjcmV0' }] },
  'a key for encryption': { keys: [{ ...good(), use: 'enc' }] },
  'a key for another algorithm': { keys: [{ ...good(), alg: 'RS512' }] },
  'a short key': { keys: [{ ...shortKey, kid: 'short' }] },
  'a key without a modulus': { keys: [{ ...good(), n: undefined }] },
  'a key with an odd modulus': { keys: [{ ...good(), n: '!' }] },
  'a key with a number for an exponent': { keys: [{ ...good(), e: 65537 }] },
};
for (const [what, document] of Object.entries(uselessKeys)) {
  test(`a key set that is ${what} is not adopted`, () => {
    assert.throws(() => readKeys(document), UnusableAnswerError);
  });
}

test('useless keys beside a good one are passed over', () => {
  const keys = readKeys({ keys: [null, { ...ecKey, kid: 'ec' }, good(), { ...shortKey, kid: 'short' }] });

  assert.deepEqual([...keys.keys()], ['kid-first']);
});

test('use and alg may be absent, or say what the key is for', () => {
  const bare = { ...good() };
  delete bare.use;

  assert.equal(readKeys({ keys: [bare] }).size, 1);
  assert.equal(readKeys({ keys: [{ ...bare, use: 'sig', alg: 'RS256' }] }).size, 1);
});

test('of two keys with one id the first counts', () => {
  const other = { ...publicJwk(signingKey('second')), kid: 'kid-first' };

  const [key] = readKeys({ keys: [good(), other] }).values();

  assert.equal(key?.material.startsWith(String(good().n)), true);
});

test('a tenant that begins to lie changes nothing for those who know its keys', async (t) => {
  const clock = movableClock();
  const tenant = await startTenant(t, { clock });
  const gate = await startGate(t, { clock, tenant });
  const lies = [...Object.values(uselessKeys)];

  for (const [i, lie] of lies.entries()) {
    tenant.editKeys = () => lie;
    clock.advance(600_000);
    assert.equal((await gate.call(tenant.issueToken())).status, 200);
    // Backoff ends at five minutes, so each round has asked once more.
    await until(() => gate.fetches.length >= Math.max(1, i - 5));
  }
  assert.ok(gate.fetches.slice(1).every((result) => result === 'failed'));
  assert.ok(gate.fetches.length > 10);
});
