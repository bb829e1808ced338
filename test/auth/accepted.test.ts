/** A good token is never refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movableClock } from '../support/clock.ts';
import { publicJwk, signingKey, startTenant, type TokenChanges } from '../support/tenant.ts';
import { startGate } from './gate.ts';
import { nested } from './refusedTokens.ts';

const now = Math.floor(Date.now() / 1000);

const accepted: Record<string, TokenChanges> = {
  'has expired within the tolerance': { expiresIn: -290 },
  'is not valid yet, within the tolerance': { nbf: now + 290, iat: now + 290 },
  'lives for a day': { nbf: now - 10, iat: now - 10, exp: now - 10 + 86_400 },
  'lives for a day by a clock that is ahead within the tolerance': {
    nbf: now + 290,
    iat: now + 290,
    exp: now + 290 + 86_400,
  },
  'has its times in fractions': { nbf: now - 0.5, exp: now + 100.25 },
  'has no iat': { iat: undefined },
  'has an odd iat': { iat: 'yesterday' },
  'names its policy in acr': { tfp: undefined, acr: 'b2c_1_susi' },
  'names its policy in capitals': { tfp: 'B2C_1_SUSI' },
  'has an acr of another kind beside tfp': { acr: '1' },
  'is an id token': { scp: undefined, azp: undefined, nonce: 'x', auth_time: now, at_hash: 'x' },
  'has no type': { header: { typ: undefined } },
  'has the type at+jwt': { header: { typ: 'at+jwt' } },
  'has the type jwt': { header: { typ: 'jwt' } },
  'has its type as a whole media type': { header: { typ: 'application/at+jwt' } },
  'has unknown members in its header': { header: { x5t: 'abc', nonce: 'abc' } },
  'has claims of all kinds': { emails: ['a@example.com'], newUser: true, extension_Points: 7, nested: { a: [null] } },
  'has a claim nested as deeply as may be': { x: nested(63) },
  'has no sub': { sub: undefined },
  'has a long claim': { groups: 'g'.repeat(9_000) },
  'has member names of the language': { constructor: 'x', hasOwnProperty: 'y', ['__proto__x']: 1 },
};
for (const [what, change] of Object.entries(accepted)) {
  test(`a token that ${what} is accepted`, async (t) => {
    const gate = await startGate(t);

    const answer = await gate.call(gate.tenant.issueToken({ oid: 'alice', ...change }));

    assert.equal(answer.status, 200, JSON.stringify(gate.logs));
    assert.deepEqual(answer.body['user'], { oid: 'alice', name: 'Alice' });
  });
}

const names: Record<string, [claim: unknown, name: string | undefined]> = {
  'is absent': [undefined, undefined],
  'is a number': [7, undefined],
  'is an object': [{ first: 'Alice' }, undefined],
  'is of many alphabets': ['Zoë 李 🙂', 'Zoë 李 🙂'],
  'is cut in the middle of a character': ['Al\uD83D', 'Al\uFFFD'],
};
for (const [what, [claim, name]] of Object.entries(names)) {
  test(`nobody is refused for a name that ${what}`, async (t) => {
    const gate = await startGate(t);

    const answer = await gate.call(gate.tenant.issueToken({ oid: 'alice', name: claim }));

    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body['user'], { oid: 'alice', ...(name === undefined ? {} : { name }) });
  });
}

test('handlers see the claims of the token', async (t) => {
  const gate = await startGate(t);

  const answer = await gate.call(gate.tenant.issueToken({ oid: 'alice', city: 'Oslo' }));

  const claims = answer.body['claims'] as Record<string, unknown>;
  assert.equal(claims['city'], 'Oslo');
  assert.equal(claims['iss'], gate.tenant.issuer);
});

test('each of several audiences is accepted, alone and in a list', async (t) => {
  const gate = await startGate(t, { env: { B2C_AUDIENCE: 'one,two' } });

  for (const aud of ['one', 'two', ['two'], ['userinfo', 'one']]) {
    assert.equal((await gate.call(gate.tenant.issueToken({ aud }))).status, 200);
  }
  // The client id is only the default.
  assert.equal((await gate.call(gate.tenant.issueToken())).status, 401);
});

test('an id that is a GUID means the same in capitals, in the settings and in the token', async (t) => {
  const tenant = await startTenant(t);
  const env = { B2C_CLIENT_ID: tenant.clientId.toUpperCase(), B2C_AUDIENCE: `${tenant.clientId.toUpperCase()},My-API` };
  const gate = await startGate(t, { tenant, env });
  const oid = '1558F87F-452B-4757-BCD1-883ABCDEF012';

  const answers = [
    await gate.call(tenant.issueToken({ oid })),
    await gate.call(tenant.issueToken({ oid: oid.toLowerCase(), aud: [tenant.clientId.toUpperCase()] })),
  ];

  for (const { body } of answers) assert.deepEqual(body['user'], { oid: oid.toLowerCase(), name: 'Alice' });
  // What is no GUID is another id in another case.
  assert.equal((await gate.call(tenant.issueToken({ aud: 'my-api' }))).status, 401);
  const { body } = await gate.call(tenant.issueToken({ aud: 'My-API', oid: 'Alice' }));
  assert.deepEqual(body['user'], { oid: 'Alice', name: 'Alice' });
});

test('the issuers of B2C_ISSUER are accepted beside the one of the metadata', async (t) => {
  const gate = await startGate(t, { env: { B2C_ISSUER: 'https://login.example/a/v2.0/,https://old.example/a/v2.0/' } });

  for (const iss of ['https://login.example/a/v2.0/', 'https://old.example/a/v2.0/', gate.tenant.issuer]) {
    assert.equal((await gate.call(gate.tenant.issueToken({ iss }))).status, 200);
  }
  assert.equal((await gate.call(gate.tenant.issueToken({ iss: 'https://old.example/b/v2.0/' }))).status, 401);
});

test('B2C_VALIDATE_ISSUER=false accepts any issuer, says so in the log, and checks all else', async (t) => {
  const gate = await startGate(t, { env: { B2C_VALIDATE_ISSUER: 'false' } });

  assert.equal((await gate.call(gate.tenant.issueToken({ iss: 'https://else.example/' }))).status, 200);
  assert.equal((await gate.call(gate.tenant.issueToken({ aud: 'else' }))).status, 401);
  assert.ok(gate.logs.some((line) => String(line['msg']).startsWith('B2C_VALIDATE_ISSUER=false')));
});

test('each policy has its own metadata, keys and issuer', async (t) => {
  const policies = ['b2c_1_sign_in', 'b2c_1_sign_up', 'b2c_1a_custom'];
  const gate = await startGate(t, { policies });
  assert.equal(gate.tenant.requests.metadata, 3);

  for (const tfp of policies) assert.equal((await gate.call(gate.tenant.issueToken({ tfp }))).status, 200);
});

test('a token is good only with a key and an issuer of its own policy', async (t) => {
  const tenant = await startTenant(t, { policies: ['b2c_1_a', 'b2c_1_b'] });
  const [a, b] = [signingKey('first'), signingKey('second')];
  tenant.editMetadata = (document, policy) => ({ ...document, issuer: `${tenant.issuer}${policy}/` });
  tenant.editKeys = (_, policy) => ({ keys: [publicJwk(policy === 'b2c_1_a' ? a : b)] });
  const gate = await startGate(t, { tenant });
  const [issuerA, issuerB] = [`${tenant.issuer}b2c_1_a/`, `${tenant.issuer}b2c_1_b/`];

  const answers = [
    await gate.call(tenant.issueToken({ tfp: 'b2c_1_a', iss: issuerA, key: a })),
    await gate.call(tenant.issueToken({ tfp: 'b2c_1_b', iss: issuerB, key: b })),
    await gate.call(tenant.issueToken({ tfp: 'b2c_1_a', iss: issuerA, key: b })),
    await gate.call(tenant.issueToken({ tfp: 'b2c_1_a', iss: issuerA, key: { ...b, kid: a.kid } })),
    await gate.call(tenant.issueToken({ tfp: 'b2c_1_a', iss: issuerB, key: a })),
  ];

  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 401, 401, 401],
  );
  assert.deepEqual(gate.outcomes, ['ok', 'ok', 'unknown_key', 'signature', 'issuer']);
});

test('a plain OpenID issuer has no policies, and none is asked for', async (t) => {
  const tenant = await startTenant(t);
  const env = { B2C_POLICY_NAME: '', B2C_IDENTITY_METADATA: `${tenant.url}/.well-known/openid-configuration` };
  const gate = await startGate(t, { tenant, env });

  assert.equal((await gate.call(tenant.issueToken({ tfp: undefined }))).status, 200);
  assert.equal((await gate.call(tenant.issueToken({ tfp: 'whatever' }))).status, 200);
  assert.equal((await gate.call(tenant.issueToken({ oid: undefined }))).status, 401);
});

test('metadata that takes the policy in the query works too', async (t) => {
  const tenant = await startTenant(t);
  const url = `${tenant.url}/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration`;
  const gate = await startGate(t, { tenant, env: { B2C_IDENTITY_METADATA: url } });

  assert.equal((await gate.call(tenant.issueToken())).status, 200);
});

test('a token is good until it expires, and for the tolerance after that', async (t) => {
  const clock = movableClock();
  const gate = await startGate(t, { clock, env: { B2C_CLOCK_SKEW: '60' } });
  const token = gate.tenant.issueToken({ expiresIn: 600 });

  const statuses = [];
  for (const seconds of [0, 600, 58, 10]) {
    clock.advance(seconds * 1000);
    statuses.push((await gate.call(token)).status);
  }

  assert.deepEqual(statuses, [200, 200, 200, 401]);
  assert.equal(gate.outcomes.at(-1), 'expired');
});

test('without a tolerance, a token is refused in the very second in which it expires', async (t) => {
  const clock = movableClock(Math.floor(Date.now() / 1000) * 1000);
  const gate = await startGate(t, { clock, env: { B2C_CLOCK_SKEW: '0' } });
  const token = gate.tenant.issueToken({ expiresIn: 10 });

  clock.advance(9_999);
  const before = await gate.call(token);
  clock.advance(1);
  const after = await gate.call(token);

  assert.deepEqual([before.status, after.status], [200, 401]);
});
