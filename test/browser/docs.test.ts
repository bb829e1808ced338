import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { startDevelopment } from '../local/project.ts';
import { root } from '../local/support.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { assertAccessible, chromiumPath, startBrowser } from './browser.ts';

if (chromiumPath !== undefined) {
  test('the documentation in a browser', async (t) => {
    const url = await startApi(t);
    const openWindow = await startBrowser(t);

    await t.test(
      'leads a reader from / to signing in, creating a task, seeing it listed, and signing out',
      async (t) => {
        const { page, assertClean } = await openWindow(t);

        await page.goto(url);
        assert.equal(page.url(), `${url}/docs`);
        await signIn(page, 'Alice');
        assert.equal(page.url(), `${url}/docs`);

        const create = await openOperation(page, 'Tasks', 'CreateTask');
        await create.getByRole('textbox', { name: 'Request body' }).fill('{"Text": "Buy oat milk"}');
        assert.equal(await execute(create), '201');
        assert.match(await create.locator('.curl-command').innerText(), /'Authorization: Bearer …'/);
        assert.ok(!(await page.content()).includes('eyJ'), 'a token is on the page');

        const list = await openOperation(page, 'Tasks', 'ListTasks');
        assert.equal(await execute(list), '200');
        await list.locator('.live-responses-table').getByText('"Buy oat milk"').first().waitFor();
        await assertAccessible(page);

        await page.reload();
        await page.getByText('Signed in as Alice').waitFor();
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.getByRole('button', { name: 'Sign in' }).waitFor();
        assertClean();
      },
    );

    await t.test('works behind a path prefix, on a phone and in the dark', async (t) => {
      const { page, assertClean } = await openWindow(t, { viewport: { width: 390, height: 844 }, colorScheme: 'dark' });

      await page.goto(`${await startProxy(t, url, '/to-do')}/to-do/docs`);
      await page.getByText('Contents and search').click();
      const health = await openOperation(page, 'Service', 'GetHealth');
      assert.equal(await execute(health), '200');
      await health.getByText('/to-do/healthz').first().waitFor();
      await openOperation(page, 'Tasks', 'CreateTask');

      await assertAccessible(page);
      const isTooWide = 'document.documentElement.scrollWidth > innerWidth';
      assert.equal(await page.evaluate(isTooWide), false);
      assertClean();
    });

    await t.test(
      'finds members, codes, guides and operations, and shows the sample of the chosen language',
      async (t) => {
        const { page, assertClean } = await openWindow(t, { colorScheme: 'dark' });
        await page.goto(`${url}/docs`);
        await page.locator('.opblock').first().waitFor();

        await page.keyboard.press('/');
        const search = page.getByRole('searchbox', { name: 'Search' });
        for (const [words, found] of [
          ['completedAt', 'completedAt'],
          ['too many', 'TooManyRequests'],
          ['outbox', 'Working offline'],
          ['/api/tasks idempotency', 'Create a task'],
        ] as const) {
          await search.fill(words);
          await page.locator('#results').getByRole('link', { name: found }).first().waitFor();
        }
        await page.locator('#results a[href="#/Tasks/CreateTask"]').click();

        const create = page.locator('#operations-Tasks-CreateTask');
        await create.getByRole('button', { name: 'Swift' }).click();
        await create.getByText(`URL(string: "${url}/api/tasks")`).waitFor();
        await assertAccessible(page);
        assertClean();
      },
    );

    await t.test('says why a pasted token is refused', async (t) => {
      const { page } = await openWindow(t);
      await page.goto(`${url}/docs`);

      await page.locator('#paste summary').click();
      await page.getByLabel('Access token').fill('no.good.token');
      await page.getByRole('button', { name: 'Use it' }).click();

      await page
        .getByRole('status')
        .getByText(/^Not signed in: .*token/)
        .waitFor();
    });

    await t.test('says what the tenant said when a sign-in fails', async (t) => {
      const { page, assertClean } = await openWindow(t);
      await page.goto(`${url}/docs`);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'Alice' }).waitFor();
      const state = new URL(page.url()).searchParams.get('state') ?? '';

      const answer = new URLSearchParams({
        error: 'access_denied',
        error_description: 'The user has cancelled',
        state,
      });
      await page.goto(`${url}/docs?${answer.toString()}`);

      await page.getByText('Not signed in: The user has cancelled').waitFor();
      assert.equal(page.url(), `${url}/docs`);
      assertClean();
    });

    await t.test('has its guides and a link to the document without JavaScript', async (t) => {
      const { page, assertClean } = await openWindow(t, { javaScriptEnabled: false });
      await page.goto(`${url}/docs`);

      await page.getByRole('heading', { name: 'Working offline' }).waitFor();
      assert.ok(await page.locator('noscript').getByRole('link', { name: 'openapi.json' }).isVisible());
      assertClean();
    });
  });
}

/** What `npm run dev` starts: the API, and the tenant that signs people in. */
async function startApi(t: TestContext): Promise<string> {
  const env = {
    DEV_DATA_DIR: await temporaryDirectory(t),
    LOG_LEVEL: 'warn',
    THROTTLE_RATE: '0',
    B2C_READ_SCOPE: 'Tasks.Read',
    B2C_WRITE_SCOPE: 'Tasks.Write',
  };
  return startDevelopment(t, root, env).says(/The API is ready at (http:[^\s:]+:\d+)/);
}

/** A proxy that gives the API a path of its own, and takes the path away again on the way there. */
async function startProxy(t: TestContext, target: string, prefix: string): Promise<string> {
  const proxy = createServer((req, res) => {
    const url = target + (req.url ?? '').slice(prefix.length);
    const onward = request(url, { method: req.method, headers: req.headers }, (answer) => {
      answer.pipe(res.writeHead(answer.statusCode ?? 502, answer.headers));
    });
    req.pipe(onward);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

async function signIn(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name }).click();
  await page.getByText(`Signed in as ${name}`).waitFor();
}

/** One operation on the page, opened from the index. */
async function openOperation(page: Page, tag: string, id: string): Promise<Locator> {
  // On a phone the index closes when something was chosen from it.
  const link = page.locator(`nav a[href="#/${tag}/${id}"]`);
  if (!(await link.isVisible())) await page.getByText('Contents and search').click();
  await link.click();
  return page.locator(`#operations-${tag}-${id}`);
}

/** Tries it, and answers with the status that the server gave. */
async function execute(operation: Locator): Promise<string> {
  await operation.getByRole('button', { name: 'Execute' }).click();
  return (await operation.locator('.live-responses-table tbody .response-col_status').first().innerText()).trim();
}
