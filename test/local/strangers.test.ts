/** Web pages of strangers, in the browser of somebody who runs the development tenant and trusts its certificate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorizeUrl, challenge, redemption, REDIRECT, TOKEN } from './signIn.ts';
import { startTestTenant } from './support.ts';

const METADATA = '/tasksdev.onmicrosoft.com/b2c_1_signin/v2.0/.well-known/openid-configuration';
const stranger = { Origin: 'https://evil.example', Referer: 'https://evil.example/', 'Sec-Fetch-Site': 'cross-site' };

const scripts = {
  'a fetch': { ...stranger, 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' },
  'a fetch without CORS': { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
  'a fetch of a page on this machine': { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'cors' },
  'a fetch of the tenant itself': { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors' },
  'a fetch of a browser before Fetch Metadata': { Origin: 'https://evil.example' },
};
for (const [reason, headers] of Object.entries(scripts)) {
  test(`${reason} signs nobody in and reads nothing`, async (t) => {
    const client = await startTestTenant(t);

    for (const change of [{ dev_user: 'Alice' }, {}, { prompt: 'none' }]) {
      const response = await client.ask(authorizeUrl(change), headers);

      assert.equal(response.status, 400);
      assert.equal(response.headers.get('location'), null);
      assert.equal(response.headers.get('access-control-allow-origin'), null);
    }
  });
}

for (const site of ['cross-site', 'same-site', 'none']) {
  test(`a link with a user in it, opened from ${site}, still asks who signs in`, async (t) => {
    const client = await startTestTenant(t);

    const response = await client.ask(authorizeUrl({ dev_user: 'Alice' }), {
      'Sec-Fetch-Site': site,
      'Sec-Fetch-Mode': 'navigate',
    });

    assert.equal(response.status, 200);
    assert.equal(response.headers.get('access-control-allow-origin'), null);
    assert.ok((await response.text()).includes(`name="code_challenge" value="${challenge}"`));
  });
}

test('no answer of authorize can be read by another origin', async (t) => {
  const client = await startTestTenant(t);
  const navigation = { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'navigate' };
  const answers = {
    page: await client.ask(authorizeUrl(), navigation),
    code: await client.ask(authorizeUrl({ dev_user: 'Alice' }), navigation),
    error: await client.ask(authorizeUrl({ prompt: 'none' }), navigation),
    refusal: await client.ask(authorizeUrl({ client_id: 'someone-else' }), navigation),
    preflight: await client.ask(authorizeUrl(), { ...stranger, 'Sec-Fetch-Mode': 'cors' }, 'OPTIONS'),
    post: await client.ask(authorizeUrl(), stranger, 'POST'),
  };

  const statuses = Object.entries(answers).map(([name, { status }]) => [name, status]);
  assert.deepEqual(Object.fromEntries(statuses), {
    page: 200,
    code: 302,
    error: 302,
    refusal: 400,
    preflight: 405,
    post: 405,
  });
  for (const [name, { headers }] of Object.entries(answers)) {
    const cors = [...headers.keys()].filter((header) => header.startsWith('access-control-'));
    assert.deepEqual(cors, [], name);
  }
});

test('a client that is no browser, and does not say where it comes from, may name the user at once', async (t) => {
  const client = await startTestTenant(t);

  const response = await client.ask(authorizeUrl({ dev_user: 'Alice' }));

  assert.equal(response.status, 302);
  const back = new URL(response.headers.get('location') ?? '');
  assert.equal(back.origin + back.pathname, REDIRECT);
  const code = back.searchParams.get('code') ?? '';
  assert.equal((await client.postForm(TOKEN, redemption(code))).status, 200);
});

test('the tenant answers only under the names of this machine, even if another name leads to it', async (t) => {
  const client = await startTestTenant(t);
  const { port } = new URL(client.tenant.origin);

  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, `LOCALHOST:${port}`]) {
    assert.equal((await client.ask(METADATA, { Host: host })).status, 200, host);
  }
  const foreign = [
    'evil.example',
    `evil.example:${port}`,
    'localhost',
    'localhost:1',
    `localhost.evil.example:${port}`,
  ];
  for (const host of foreign) {
    for (const path of [METADATA, authorizeUrl(), authorizeUrl({ dev_user: 'Alice' })]) {
      assert.equal((await client.ask(path, { Host: host })).status, 421, host);
    }
    assert.equal((await client.ask(TOKEN, { Host: host }, 'POST')).status, 421, host);
  }
});
