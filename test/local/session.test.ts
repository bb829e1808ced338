/** What B2C does between the first sign-in and the last sign-out, and how its sign-in page can be left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Response } from 'undici';
import { CLIENT_ID, TENANT_ID, userNamed } from '../../src/local/tenant/identity.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { AUTHORIZE, authorizeUrl, codeFor, FROM_SIGN_IN_PAGE, redemption, REDIRECT, TOKEN } from './signIn.ts';
import { type Client, startTestTenant } from './support.ts';

const API_SCOPE = 'https://tasksdev.onmicrosoft.com/api/tasks.read';

/** Signs in, and answers with the cookie that the browser keeps. */
async function sessionOf(client: Client, name: string): Promise<string> {
  const response = await client.ask(authorizeUrl({ dev_user: name }), FROM_SIGN_IN_PAGE);
  const cookie = response.headers.get('set-cookie') ?? '';
  assert.match(cookie, /; Path=\/; HttpOnly; Secure; SameSite=None$/);
  return cookie.split(';')[0] ?? '';
}

/** What a page of the app's, or its hidden frame, gets for an answer. */
function askAgain(client: Client, cookie: string, change: Record<string, string> = {}): Promise<Response> {
  const headers = { Cookie: cookie, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' };
  return client.ask(authorizeUrl(change), headers);
}

function answerIn(response: Response): URLSearchParams {
  assert.equal(response.status, 302);
  return new URL(response.headers.get('location') ?? '').searchParams;
}

async function redeemed(client: Client, code: string, change: Record<string, string> = {}) {
  const response = await client.postForm(TOKEN, { ...redemption(code), ...change });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Record<string, string>;
}

for (const prompt of ['none', undefined]) {
  test(`whoever has signed in is not asked again with prompt ${String(prompt)}`, async (t) => {
    const client = await startTestTenant(t);
    const cookie = await sessionOf(client, 'Alice');

    const response = await askAgain(client, cookie, prompt === undefined ? {} : { prompt });

    const tokens = await redeemed(client, answerIn(response).get('code') ?? '');
    assert.equal(decodeJwt(tokens['access_token'] ?? '')['name'], 'Alice');
    // A hidden frame must be allowed to go on to the app's page.
    assert.equal(response.headers.get('x-frame-options'), null);
    assert.equal(response.headers.get('content-security-policy'), null);
  });
}

for (const prompt of ['login', 'select_account']) {
  test(`prompt=${prompt} asks who signs in, even if somebody is signed in`, async (t) => {
    const client = await startTestTenant(t);
    const cookie = await sessionOf(client, 'Alice');

    const response = await askAgain(client, cookie, { prompt });

    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
  });
}

test('a session outlives a restart, lasts a day, and is no session of External ID', async (t) => {
  let now = Date.now();
  const directory = await temporaryDirectory(t);
  const before = await startTestTenant(t, directory);
  const cookie = await sessionOf(before, 'Alice');
  await before.tenant.close();
  const client = await startTestTenant(t, directory, { now: () => now });

  assert.notEqual(answerIn(await askAgain(client, cookie, { prompt: 'none' })).get('code'), null);
  now += 25 * 3600 * 1000;
  assert.equal(answerIn(await askAgain(client, cookie, { prompt: 'none' })).get('error'), 'interaction_required');
  assert.ok(cookie.includes(TENANT_ID));
});

test('a cookie that is not the tenant’s own signs nobody in', async (t) => {
  const client = await startTestTenant(t);
  const cookie = await sessionOf(client, 'Alice');
  const [name] = cookie.split('=');
  const code = await codeFor(client, 'Alice');

  for (const value of ['', 'made-up', code, `${cookie.split('=')[1] ?? ''}x`]) {
    const answer = answerIn(await askAgain(client, `${name ?? ''}=${value}`, { prompt: 'none' }));
    assert.equal(answer.get('error'), 'interaction_required', value);
  }
});

test('signing out ends the session and brings the app its state', async (t) => {
  const client = await startTestTenant(t);
  const logout = AUTHORIZE.replace('authorize', 'logout');

  const back = await client.ask(`${logout}?post_logout_redirect_uri=${encodeURIComponent(REDIRECT)}&state=bye`);
  const stayed = await client.ask(logout);

  assert.equal(back.headers.get('location'), `${REDIRECT}?state=bye`);
  assert.match(back.headers.get('set-cookie') ?? '', /^session-\d+-[0-9a-f-]+=; .*Max-Age=0$/);
  assert.equal(stayed.status, 200);
  assert.match(await stayed.text(), /You are signed out/);
});

const exits = { cancel: /^AADB2C90091: /, forgot: /^AADB2C90118: / };
for (const [exit, description] of Object.entries(exits)) {
  test(`the page can be left by ${exit}, and the app is told`, async (t) => {
    const client = await startTestTenant(t);
    assert.match(await (await client.ask(authorizeUrl())).text(), new RegExp(`name="dev_exit" value="${exit}"`));

    const answer = answerIn(await client.ask(authorizeUrl({ dev_exit: exit }), FROM_SIGN_IN_PAGE));

    assert.equal(answer.get('error'), 'access_denied');
    assert.match(answer.get('error_description') ?? '', description);
    assert.equal(answer.get('state'), 'abc');
    // Only the page's own button does this: a link on a stranger's page does not leave it.
    assert.equal((await askAgain(client, '', { dev_exit: exit })).status, 200);
  });
}

test('the answer is posted by the browser when the app asks for form_post, an error too', async (t) => {
  const client = await startTestTenant(t);
  const change = { response_mode: 'form_post', state: '"><script>' };

  const signedIn = await client.ask(authorizeUrl({ ...change, dev_user: 'Alice' }), FROM_SIGN_IN_PAGE);
  const refused = await client.ask(authorizeUrl({ ...change, prompt: 'none' }), FROM_SIGN_IN_PAGE);

  assert.equal(signedIn.status, 200);
  assert.match(signedIn.headers.get('content-security-policy') ?? '', /^default-src 'none'; script-src 'sha256-/);
  const page = await signedIn.text();
  assert.ok(page.includes(`<form method="post" action="${REDIRECT}">`));
  assert.ok(page.includes('name="state" value="&quot;&gt;&lt;script&gt;"'));
  const code = /name="code" value="([^"]+)"/.exec(page)?.[1] ?? '';
  assert.ok('access_token' in (await redeemed(client, code)));
  assert.match(await refused.text(), /name="error" value="interaction_required"/);
});

test('client_info, which MSAL tells accounts apart by, comes when asked for', async (t) => {
  const client = await startTestTenant(t);
  const answer = answerIn(await client.ask(authorizeUrl({ dev_user: 'Alice', client_info: '1' }), FROM_SIGN_IN_PAGE));
  const expected = { uid: `${userNamed('Alice').oid}-b2c_1_signin`, utid: TENANT_ID };

  const tokens = await redeemed(client, answer.get('code') ?? '', { client_info: '1' });

  for (const info of [answer.get('client_info'), tokens['client_info']]) {
    assert.deepEqual(JSON.parse(Buffer.from(info ?? '', 'base64url').toString()), expected);
  }
  assert.equal('client_info' in (await redeemed(client, await codeFor(client, 'Alice'))), false);
});

const scopes: Record<string, [scope: string, tokens: string[], scp?: string]> = {
  'only openid': ['openid', ['id_token']],
  'openid and offline_access': ['openid profile offline_access', ['id_token', 'refresh_token']],
  'only a scope of the API': [API_SCOPE, ['access_token'], 'tasks.read'],
  'both scopes of the API': [
    `${API_SCOPE} ${API_SCOPE.replace('read', 'write')}`,
    ['access_token'],
    'tasks.read tasks.write',
  ],
  'the client id': [`openid ${CLIENT_ID}`, ['access_token', 'id_token']],
};
for (const [what, [scope, expected, scp]] of Object.entries(scopes)) {
  test(`whoever asks for ${what} gets ${expected.join(' and ')}`, async (t) => {
    const client = await startTestTenant(t);
    const answer = answerIn(await client.ask(authorizeUrl({ dev_user: 'Alice', scope }), FROM_SIGN_IN_PAGE));

    const tokens = await redeemed(client, answer.get('code') ?? '');

    assert.deepEqual(
      Object.keys(tokens)
        .filter((name) => /^(access|id|refresh)_token$/.test(name))
        .sort(),
      expected.sort(),
    );
    assert.equal(tokens['scope'], scope);
    if (tokens['access_token'] !== undefined) assert.equal(decodeJwt(tokens['access_token'])['scp'], scp);
  });
}

const refusedScopes: Record<string, [scope: string | undefined, error: string]> = {
  'of another API': ['openid https://graph.microsoft.com/User.Read', 'invalid_scope'],
  'by its short name': ['openid tasks.read', 'invalid_scope'],
  'that the API does not have': ['https://tasksdev.onmicrosoft.com/api/tasks.delete', 'invalid_scope'],
  'that B2C does not know': ['openid email', 'invalid_scope'],
  'for a refresh token of nothing': ['offline_access', 'invalid_request'],
  'that is not there': [undefined, 'invalid_request'],
};
for (const [reason, [scope, error]] of Object.entries(refusedScopes)) {
  test(`a scope ${reason} is ${error}`, async (t) => {
    const client = await startTestTenant(t);

    const answer = answerIn(await client.ask(authorizeUrl({ dev_user: 'Alice', scope }), FROM_SIGN_IN_PAGE));

    assert.equal(answer.get('error'), error);
    assert.equal(answer.get('code'), null);
  });
}

test('a refresh token outlives a restart, brings other scopes when asked, and refuses unknown ones', async (t) => {
  const directory = await temporaryDirectory(t);
  const before = await startTestTenant(t, directory);
  const { refresh_token = '' } = await redeemed(before, await codeFor(before, 'Alice'));
  await before.tenant.close();
  const client = await startTestTenant(t, directory);
  const form = { grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token };
  const scope = `openid offline_access ${API_SCOPE.replace('read', 'write')}`;

  const response = await client.postForm(TOKEN, { ...form, scope });
  assert.equal(response.status, 200);
  const tokens = (await response.json()) as Record<string, string>;
  const refused = await client.postForm(TOKEN, {
    ...form,
    refresh_token: tokens['refresh_token'] ?? '',
    scope: 'tasks.read',
  });

  assert.equal(decodeJwt(tokens['access_token'] ?? '')['scp'], 'tasks.write');
  assert.equal(decodeJwt(tokens['id_token'] ?? '')['nonce'], undefined);
  assert.equal(((await refused.json()) as Record<string, string>)['error'], 'invalid_scope');
});

test('a page of any origin may ask for metadata, keys and tokens, and the browser is told so', async (t) => {
  const client = await startTestTenant(t);
  const asked = { Origin: 'http://127.0.0.1:3000', 'Access-Control-Request-Headers': 'x-client-sku' };

  for (const endpoint of ['v2.0/.well-known/openid-configuration', 'discovery/v2.0/keys', 'oauth2/v2.0/token']) {
    const path = AUTHORIZE.replace('oauth2/v2.0/authorize', endpoint);
    const preflight = await client.ask(path, asked, 'OPTIONS');
    const answer = await client.ask(path, { Origin: asked.Origin }, endpoint.endsWith('token') ? 'POST' : 'GET');

    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-headers'), 'x-client-sku');
    assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /GET, POST/);
    for (const { headers } of [preflight, answer]) assert.equal(headers.get('access-control-allow-origin'), '*');
  }
});
