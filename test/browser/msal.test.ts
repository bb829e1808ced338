/** Microsoft's own library, as it comes, signs in at the development tenant as it would at B2C. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { CLIENT_ID, TENANT_NAME, userNamed } from '../../src/local/tenant/identity.ts';
import { startTestTenant } from '../local/support.ts';
import { certificate } from '../support/tenant.ts';
import { chromiumPath, startBrowser } from './browser.ts';

interface Account {
  localAccountId: string;
  name: string;
}

interface SignedIn {
  account: Account;
  accessToken: string;
  fromCache: boolean;
}

const SCOPES = JSON.stringify([`https://${TENANT_NAME}/api/tasks.read`]);

if (chromiumPath !== undefined) {
  test('MSAL in a browser', async (t) => {
    const { tenant } = await startTestTenant(t);
    const app = await startApp(t, tenant.origin);
    const openWindow = await startBrowser(t);

    await t.test(
      'signs in by redirect, then silently: from its cache, with its refresh token, by the session',
      async (t) => {
        const { page, assertClean } = await openWindow(t);
        await page.goto(app);
        await page.evaluate(`void app.loginRedirect({ scopes: ${SCOPES} })`);
        await page.getByRole('button', { name: 'Alice' }).click();
        const signedIn = await redirected(page);
        assert.equal(signedIn.account.localAccountId, userNamed('Alice').oid);
        assert.equal(signedIn.account.name, 'Alice');

        const cached = await silently(page, '{}');
        assert.equal(cached.accessToken, signedIn.accessToken);
        assert.equal(cached.fromCache, true);
        const refreshed = await silently(page, '{ forceRefresh: true }');
        assert.equal(refreshed.account.localAccountId, userNamed('Alice').oid);
        assert.equal(refreshed.fromCache, false);
        const bySession = await page.evaluate<SignedIn>(`app.ssoSilent({ scopes: ${SCOPES} })`);
        assert.equal(bySession.account.localAccountId, userNamed('Alice').oid);
        assertClean();
      },
    );

    await t.test('signs in in a pop-up', async (t) => {
      const { page, assertClean } = await openWindow(t);
      await page.goto(app);
      const popup = page.waitForEvent('popup');
      const signingIn = page.evaluate<SignedIn>(`app.loginPopup({ scopes: ${SCOPES} })`);
      await (await popup).getByRole('button', { name: 'Bob' }).click();

      assert.equal((await signingIn).account.localAccountId, userNamed('Bob').oid);
      assertClean();
    });

    await t.test('hears that somebody cancelled', async (t) => {
      const { page } = await openWindow(t);
      await page.goto(app);
      const popup = page.waitForEvent('popup');
      const refused = assert.rejects(
        page.evaluate(`app.loginPopup({ scopes: ${SCOPES} })`),
        /access_denied.*AADB2C90091/s,
      );
      await (await popup).getByRole('button', { name: 'Cancel' }).click();

      await refused;
    });
  });
}

/** Where the app is: a page that has MSAL as `app`, and the page that the tenant sends people back to. */
async function startApp(t: TestContext, tenantOrigin: string): Promise<string> {
  const library = new URL('../lib/', import.meta.resolve('@azure/msal-browser'));
  const files: Record<string, [type: string, text: string | Buffer]> = {
    '/': ['text/html', appPage(tenantOrigin)],
    '/back': ['text/html', BACK_PAGE],
    '/msal.js': ['text/javascript', await readFile(new URL('msal-browser.min.js', library))],
    '/back.js': ['text/javascript', await readFile(new URL('redirect-bridge/msal-redirect-bridge.min.js', library))],
  };
  // By https, so that the browser takes the app and the tenant for one site: a private window like this blocks cookies of others.
  const server = createServer(await certificate(), (req, res) => {
    const [type, text] = files[req.url?.split('?')[0] ?? ''] ?? ['text/plain', ''];
    res.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(text);
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `https://localhost:${(server.address() as AddressInfo).port}/`;
}

function appPage(tenantOrigin: string): string {
  const auth = {
    clientId: CLIENT_ID,
    authority: `${tenantOrigin}/${TENANT_NAME}/b2c_1_signupsignin`,
    knownAuthorities: [new URL(tenantOrigin).host],
    redirectUri: '/back',
  };
  return `<!doctype html><html lang="en"><title>An app</title><link rel="icon" href="data:,"><script src="msal.js"></script><script>
const app = new msal.PublicClientApplication(${JSON.stringify({ auth })});
const redirected = app.initialize().then(() => app.handleRedirectPromise());
</script></html>`;
}

const BACK_PAGE = `<!doctype html><html lang="en"><title>Back</title><link rel="icon" href="data:,"><script src="back.js"></script><script>
msalRedirectBridge.broadcastResponseToMainFrame();
</script></html>`;

/** What a sign-in by redirect came to, once the browser is back at the app. */
async function redirected(page: Page): Promise<SignedIn> {
  await page.waitForURL(/^https:\/\/localhost:\d+\/$/);
  return page.evaluate<SignedIn>('redirected');
}

function silently(page: Page, options: string): Promise<SignedIn> {
  return page.evaluate<SignedIn>(
    `app.acquireTokenSilent({ scopes: ${SCOPES}, account: app.getAllAccounts()[0], ...${options} })`,
  );
}
