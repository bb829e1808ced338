/** A real Chromium that reaches nothing but this machine. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const USUAL_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Where Chromium is. Without one this is undefined, and no test of this folder is registered. */
export const chromiumPath = process.env['CHROMIUM'] ?? USUAL_PATHS.find((path) => existsSync(path));

export interface Visit {
  page: Page;
  /** Fails when the page has complained in the console, or asked another machine for anything. */
  assertClean: () => void;
}

/** Opens a window: a browser's own memory, cookies and size. It ends with the test. */
export type OpenWindow = (t: TestContext, options?: BrowserContextOptions) => Promise<Visit>;

/** Starts a browser, which ends with the test. */
export async function startBrowser(t: TestContext): Promise<OpenWindow> {
  const browser = await chromium.launch({
    ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
    args: [
      ...['--disable-gpu', '--disable-quic', '--disable-component-update', '--disable-sync'],
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
    ],
  });
  t.after(() => browser.close());
  return (t, options) => openWindow(t, browser, options);
}

async function openWindow(t: TestContext, browser: Browser, options?: BrowserContextOptions): Promise<Visit> {
  // The development tenant signs its own certificate.
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  t.after(() => context.close());
  // No test is about how long a machine takes. This only ends one that waits for what never comes.
  context.setDefaultTimeout(180_000);
  const complaints: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith('http') && !['localhost', '127.0.0.1'].includes(hostname)) complaints.push(request.url());
  });
  return {
    page: await context.newPage(),
    assertClean: () => {
      assert.deepEqual(complaints, []);
    },
  };
}

/** Fails with what keeps people out: violations that axe calls serious or critical. */
export async function assertAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(
    serious.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) })),
    [],
  );
}
