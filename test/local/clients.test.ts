/** The libraries that apps sign in with, as they come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import tls from 'node:tls';
import { PublicClientApplication } from '@azure/msal-node';
import * as oauth from 'oauth4webapi';
import {
  CLIENT_ID,
  EXTERNAL_CLIENT_ID,
  EXTERNAL_TENANT_ID,
  TENANT_ID,
  userNamed,
} from '../../src/local/tenant/identity.ts';
import { FROM_SIGN_IN_PAGE, REDIRECT } from './signIn.ts';
import { type Client, startTestTenant, verifyByMetadata } from './support.ts';

const SCOPE = 'https://tasksdev.onmicrosoft.com/api/tasks.read';

/** As NODE_EXTRA_CA_CERTS does for a whole process. */
function trust(certificate: string): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate]);
}

/** The browser, and Alice in front of it: opens the address, presses her button, and posts the form that comes back. */
async function press(client: Client, url: string, button: Record<string, string>): Promise<void> {
  const target = new URL(url);
  for (const [name, value] of Object.entries(button)) target.searchParams.set(name, value);
  const page = await (await client.ask(target.pathname + target.search, FROM_SIGN_IN_PAGE)).text();
  const action = /<form method="post" action="([^"]+)">/.exec(page)?.[1] ?? '';
  const fields = [...page.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(
    ([, name = '', value = '']): [string, string] => [name, value],
  );
  await fetch(action, { method: 'POST', body: new URLSearchParams(fields) });
}

function msal(client: Client, authority: string, clientId = CLIENT_ID): PublicClientApplication {
  const { origin } = client.tenant;
  trust(client.tenant.certificate);
  return new PublicClientApplication({
    auth: { clientId, authority: `${origin}/${authority}`, knownAuthorities: [new URL(origin).host] },
  });
}

test('MSAL for Node signs in interactively, then silently, then with its refresh token', async (t) => {
  const client = await startTestTenant(t);
  const app = msal(client, 'tasksdev.onmicrosoft.com/b2c_1_signupsignin');

  const first = await app.acquireTokenInteractive({
    scopes: [SCOPE],
    openBrowser: (url) => press(client, url, { dev_user: 'Alice' }),
  });
  assert.ok(first.account !== null);
  const silent = await app.acquireTokenSilent({ scopes: [SCOPE], account: first.account });
  const refreshed = await app.acquireTokenSilent({ scopes: [SCOPE], account: first.account, forceRefresh: true });

  const { oid } = userNamed('Alice');
  assert.equal(first.account.homeAccountId, `${oid}-b2c_1_signupsignin.${TENANT_ID}`);
  assert.equal(first.account.name, 'Alice');
  assert.equal(silent.accessToken, first.accessToken);
  assert.equal(refreshed.fromCache, false);
  const { payload } = await verifyByMetadata(client, refreshed.accessToken, 'b2c_1_signupsignin');
  assert.deepEqual([payload['oid'], payload['scp']], [oid, 'tasks.read']);
});

test('MSAL is told that the user cancelled, and which error it was when the password is forgotten', async (t) => {
  const client = await startTestTenant(t);
  const app = msal(client, 'tasksdev.onmicrosoft.com/b2c_1_signupsignin');

  for (const [exit, code] of Object.entries({ cancel: 'AADB2C90091', forgot: 'AADB2C90118' })) {
    await assert.rejects(
      app.acquireTokenInteractive({ scopes: [SCOPE], openBrowser: (url) => press(client, url, { dev_exit: exit }) }),
      (error: Error) => error.message.includes(code),
    );
  }
});

test('MSAL gets for an old refresh token the error that B2C gives', async (t) => {
  let now = Date.now();
  const client = await startTestTenant(t, undefined, { now: () => now });
  const app = msal(client, 'tasksdev.onmicrosoft.com/b2c_1_signupsignin');
  const { account } = await app.acquireTokenInteractive({
    scopes: [SCOPE],
    openBrowser: (url) => press(client, url, { dev_user: 'Alice' }),
  });
  assert.ok(account !== null);

  now += 15 * 24 * 3600 * 1000;

  await assert.rejects(
    app.acquireTokenSilent({ scopes: [SCOPE], account, forceRefresh: true }),
    /invalid_grant.*AADB2C90080/,
  );
});

test('MSAL signs in at External ID', async (t) => {
  const client = await startTestTenant(t);
  const app = msal(client, EXTERNAL_TENANT_ID, EXTERNAL_CLIENT_ID);

  const { account, accessToken } = await app.acquireTokenInteractive({
    scopes: [`api://${EXTERNAL_CLIENT_ID}/tasks.read`],
    openBrowser: (url) => press(client, url, { dev_user: 'Alice' }),
  });

  const { oid } = userNamed('Alice', EXTERNAL_TENANT_ID);
  assert.equal(account?.homeAccountId, `${oid}.${EXTERNAL_TENANT_ID}`);
  assert.notEqual(accessToken, '');
});

test('oauth4webapi, which checks each answer against the specifications, signs in and refreshes', async (t) => {
  const client = await startTestTenant(t);
  trust(client.tenant.certificate);
  const { origin } = client.tenant;
  const found = await fetch(`${origin}/tasksdev.onmicrosoft.com/b2c_1_signin/v2.0/.well-known/openid-configuration`);
  const as = (await found.json()) as oauth.AuthorizationServer;
  const app: oauth.Client = { client_id: CLIENT_ID };
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const url = new URL(as.authorization_endpoint ?? '');
  url.search = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: `openid offline_access ${SCOPE}`,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    dev_user: 'Alice',
  }).toString();

  const back = await client.ask(url.pathname + url.search, FROM_SIGN_IN_PAGE);
  const parameters = oauth.validateAuthResponse(as, app, new URL(back.headers.get('location') ?? ''), state);
  const answer = await oauth.authorizationCodeGrantRequest(as, app, oauth.None(), parameters, REDIRECT, verifier);
  const tokens = await oauth.processAuthorizationCodeResponse(as, app, answer, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  const again = await oauth.refreshTokenGrantRequest(as, app, oauth.None(), tokens.refresh_token ?? '');
  const refreshed = await oauth.processRefreshTokenResponse(as, app, again);

  assert.equal(oauth.getValidatedIdTokenClaims(tokens)?.['oid'], userNamed('Alice').oid);
  await verifyByMetadata(client, refreshed.access_token, 'b2c_1_signin');
});
