import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { CLIENT_ID, EXTERNAL_CLIENT_ID, POLICIES } from '../../src/local/tenant/identity.ts';
import { authorizeUrl, FROM_SIGN_IN_PAGE, redemption, TOKEN } from './signIn.ts';
import { startTestTenant } from './support.ts';

test('the page at the root says all that an app needs to sign in', async (t) => {
  const client = await startTestTenant(t);
  const { origin, certificatePath } = client.tenant;

  const response = await client.get('/');

  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-security-policy') ?? '', /^default-src 'none'/);
  assert.equal(response.headers.get('access-control-allow-origin'), null);
  const page = await response.text();
  const facts = [
    ...POLICIES.map((policy) => `${origin}/tasksdev.onmicrosoft.com/${policy}`),
    new URL(origin).host,
    CLIENT_ID,
    EXTERNAL_CLIENT_ID,
    'https://tasksdev.onmicrosoft.com/api/tasks.read',
    `NODE_EXTRA_CA_CERTS=${certificatePath}`,
    `REQUESTS_CA_BUNDLE=${certificatePath}`,
    `adb reverse tcp:${new URL(origin).port}`,
    'xcrun simctl keychain booted add-root-cert',
    'knownAuthorities',
    'MSALB2CAuthority',
  ];
  for (const fact of facts) assert.ok(page.includes(fact), fact);
});

test('the certificate can be had from the page, and is for the emulator too', async (t) => {
  const { tenant, get } = await startTestTenant(t);

  const certificate = new X509Certificate(await (await get('/certificate.pem')).text());

  assert.equal(certificate.toString().trim(), tenant.certificate.trim());
  for (const ip of ['127.0.0.1', '::1', '10.0.2.2']) assert.equal(certificate.checkIP(ip), ip);
  assert.equal(certificate.checkHost('localhost'), 'localhost');
});

test('an app on the Android emulator signs in at the address that it knows this machine by', async (t) => {
  const client = await startTestTenant(t);
  const host = `10.0.2.2:${new URL(client.tenant.origin).port}`;
  const redirect_uri = 'http://10.0.2.2:8080/cb';

  const metadata = await client.ask(TOKEN.replace('oauth2/v2.0/token', 'v2.0/.well-known/openid-configuration'), {
    Host: host,
  });
  const document = (await metadata.json()) as Record<string, string>;
  const change = { redirect_uri, dev_user: 'Alice' };
  const back = await client.ask(authorizeUrl(change), { ...FROM_SIGN_IN_PAGE, Host: host });

  assert.equal(new URL(document['token_endpoint'] ?? '').host, host);
  assert.equal(new URL(document['issuer'] ?? '').host, new URL(client.tenant.origin).host);
  const location = new URL(back.headers.get('location') ?? '');
  assert.equal(location.origin + location.pathname, redirect_uri);
  const form = { ...redemption(location.searchParams.get('code') ?? ''), redirect_uri };
  assert.equal((await client.postForm(TOKEN, form)).status, 200);
});
