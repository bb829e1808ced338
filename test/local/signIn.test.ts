import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { CLIENT_ID, userNamed } from '../../src/local/tenant/identity.ts';
import {
  AUTHORIZE,
  authorizeUrl,
  challenge,
  codeFor,
  FROM_SIGN_IN_PAGE,
  redemption,
  REDIRECT,
  signIn,
  TOKEN,
} from './signIn.ts';
import { pkcePair, startTestTenant, verifyByMetadata } from './support.ts';

test('the sign-in page lets one choose a user and keeps what the app asked for', async (t) => {
  const client = await startTestTenant(t);

  const response = await client.ask(authorizeUrl({ state: '"><script>' }));

  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  const page = await response.text();
  assert.match(page, /<button name="dev_user" value="Dev User">/);
  assert.ok(page.includes(`<input type="hidden" name="code_challenge" value="${challenge}">`));
  assert.ok(!page.includes('<script>'));
});

test('a code with its verifier becomes tokens of that user', async (t) => {
  const client = await startTestTenant(t);
  const back = await signIn(client, 'Alice');
  assert.equal(back.searchParams.get('state'), 'abc');

  const response = await client.postForm(TOKEN, redemption(back.searchParams.get('code') ?? ''));

  assert.equal(response.status, 200);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const tokens = (await response.json()) as Record<string, string>;
  const { payload } = await verifyByMetadata(client, tokens['access_token'] ?? '', 'b2c_1_signin');
  const { oid } = userNamed('Alice');
  const { iss, iat, nbf, exp, ...claims } = payload;
  assert.equal(typeof iss, 'string');
  assert.equal(nbf, iat);
  assert.equal(exp, Number(iat) + 3600);
  const identity = { oid, sub: oid, name: 'Alice', emails: ['alice@example.com'], tfp: 'b2c_1_signin', ver: '1.0' };
  assert.deepEqual(claims, { ...identity, aud: CLIENT_ID, azp: CLIENT_ID, scp: 'tasks.read' });
  const idToken = decodeJwt(tokens['id_token'] ?? '');
  assert.equal(idToken.aud, CLIENT_ID);
  assert.equal(idToken['nonce'], 'n-1');
  assert.equal(idToken['oid'], oid);
  assert.equal(idToken['scp'], undefined);
});

test('the code comes in the fragment when the page asks for that, as MSAL does', async (t) => {
  const client = await startTestTenant(t);

  const back = await signIn(client, 'Alice', { response_mode: 'fragment' });

  assert.equal(back.search, '');
  const answer = new URLSearchParams(back.hash.slice(1));
  assert.equal(answer.get('state'), 'abc');
  assert.equal((await client.postForm(TOKEN, redemption(answer.get('code') ?? ''))).status, 200);
});

test('a refresh token works once and brings the next one', async (t) => {
  const client = await startTestTenant(t);
  const first = await client.postForm(TOKEN, redemption(await codeFor(client, 'Alice')));
  const { refresh_token } = (await first.json()) as { refresh_token: string };
  const form = { grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token };

  const second = await client.postForm(TOKEN, form);
  const third = await client.postForm(TOKEN, form);

  assert.equal(second.status, 200);
  const tokens = (await second.json()) as Record<string, string>;
  assert.equal(decodeJwt(tokens['access_token'] ?? '')['name'], 'Alice');
  assert.notEqual(tokens['refresh_token'], refresh_token);
  assert.equal(third.status, 400);
});

const refusedRedemptions = {
  'without a verifier': { code_verifier: '' },
  'with another verifier': { code_verifier: pkcePair().verifier },
  'with an invented code': { code: '1f0c4ec6-9d7e-4b0e-b1c5-7f1f0b6f2a11' },
  'with another redirect_uri': { redirect_uri: 'http://127.0.0.1:3000/other' },
  'of another client': { client_id: '11111111-1111-4111-8111-111111111111' },
  'with an invented refresh token': { grant_type: 'refresh_token', refresh_token: 'made-up' },
  'for client credentials': { grant_type: 'client_credentials' },
  'for a password': { grant_type: 'password', username: 'alice', password: 'x' },
};
for (const [reason, change] of Object.entries(refusedRedemptions)) {
  test(`a token request ${reason} is refused`, async (t) => {
    const client = await startTestTenant(t);
    const code = await codeFor(client, 'Alice');

    const response = await client.postForm(TOKEN, { ...redemption(code), ...change });

    assert.equal(response.status, 400);
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    const body = (await response.json()) as Record<string, string>;
    assert.match(body['error'] ?? '', /^(invalid_grant|unsupported_grant_type)$/);
    assert.equal(body['access_token'], undefined);
  });
}

test('a code works once, for five minutes, with the policy that made it', async (t) => {
  let now = Date.now();
  const client = await startTestTenant(t, undefined, { now: () => now });
  const used = await codeFor(client, 'Alice');
  const old = await codeFor(client, 'Alice');
  const fresh = await codeFor(client, 'Alice');

  assert.equal((await client.postForm(TOKEN, redemption(used))).status, 200);
  assert.equal((await client.postForm(TOKEN, redemption(used))).status, 400);
  assert.equal((await client.postForm(TOKEN.replace('signin', 'signup'), redemption(fresh))).status, 400);
  now += 5 * 60 * 1000;
  assert.equal((await client.postForm(TOKEN, redemption(old))).status, 400);
});

const refusedForThePerson = {
  'an unknown client': { client_id: 'someone-else' },
  'a page on another machine': { redirect_uri: 'https://evil.example/cb' },
  'a script as redirect_uri': { redirect_uri: 'javascript:alert(1)' },
  'no redirect_uri': { redirect_uri: undefined },
};
for (const [reason, change] of Object.entries(refusedForThePerson)) {
  test(`with ${reason} the browser is sent nowhere`, async (t) => {
    const client = await startTestTenant(t);

    const response = await client.ask(authorizeUrl({ ...change, dev_user: 'Alice' }), FROM_SIGN_IN_PAGE);

    assert.equal(response.status, 400);
    assert.equal(response.headers.get('location'), null);
  });
}

const refusedForTheApp = {
  'without a challenge': [{ code_challenge: undefined }, 'invalid_request'],
  'with a plain challenge': [{ code_challenge_method: 'plain' }, 'invalid_request'],
  'with a challenge of no method': [{ code_challenge_method: undefined }, 'invalid_request'],
  'for an implicit token': [{ response_type: 'token' }, 'unsupported_response_type'],
  'that may not ask': [{ prompt: 'none' }, 'interaction_required'],
} as const;
for (const [reason, [change, error]] of Object.entries(refusedForTheApp)) {
  test(`a request ${reason} comes back to the app as ${error}`, async (t) => {
    const client = await startTestTenant(t);

    const response = await client.ask(authorizeUrl({ ...change, dev_user: 'Alice' }), FROM_SIGN_IN_PAGE);

    assert.equal(response.status, 302);
    const back = new URL(response.headers.get('location') ?? '');
    assert.equal(back.origin + back.pathname, REDIRECT);
    assert.equal(back.searchParams.get('error'), error);
    assert.equal(back.searchParams.get('state'), 'abc');
    assert.equal(back.searchParams.get('code'), null);
  });
}

test('a mobile app signs in with a scheme of its own', async (t) => {
  const client = await startTestTenant(t);

  const back = await signIn(client, 'Bob', { redirect_uri: `msal${CLIENT_ID}://auth` });

  assert.equal(back.protocol, `msal${CLIENT_ID}:`);
  assert.notEqual(back.searchParams.get('code'), null);
});

test('signing out leads back to this machine only', async (t) => {
  const client = await startTestTenant(t);
  const logout = AUTHORIZE.replace('authorize', 'logout');

  const home = await client.get(`${logout}?post_logout_redirect_uri=${encodeURIComponent(REDIRECT)}`);
  const away = await client.get(`${logout}?post_logout_redirect_uri=https://evil.example/`);

  assert.equal(home.headers.get('location'), REDIRECT);
  assert.equal(away.status, 400);
});
