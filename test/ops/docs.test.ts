import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { html, marked } from '../../src/ops/docs/html.ts';
import { document, operations } from './document.ts';
import { startServer } from '../support/server.ts';

test('the page shows every operation, parameter, code and example of the document', async (t) => {
  const { url } = await startServer(t);

  const page = await (await fetch(`${url}/docs`)).text();

  for (const { operation, method, path } of operations().filter(({ method }) => method !== 'head')) {
    assert.ok(page.includes(`id="${operation.operationId}"`), operation.operationId);
    assert.ok(page.includes(`<span class="method">${method.toUpperCase()}</span> <code>${path}</code>`), path);
  }
  for (const { name } of Object.values(document.components.parameters))
    assert.ok(page.includes(`<code>${name}</code>`));
  for (const code of Object.keys(document.components.examples)) assert.ok(page.includes(`id="${code}"`), code);
  assert.ok(page.includes('&quot;Text&quot;: &quot;Buy milk&quot;'));
  assert.ok(page.includes('<pre><code>Text=Buy+milk</code></pre>'));
});

test('every link on the page leads to a place on it, or to the document', async (t) => {
  const { url } = await startServer(t);

  const page = await (await fetch(`${url}/docs`)).text();

  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  const links = [...page.matchAll(/ href="([^"]+)"/g)].map(([, link = '']) => link);
  assert.equal(new Set(ids).size, ids.length);
  for (const link of links) assert.ok(link === 'openapi.json' || ids.includes(link.slice(1)), link);
});

test('the page needs nothing else, and the policy lets in nothing but its own style', async (t) => {
  const { url } = await startServer(t);

  const response = await fetch(`${url}/docs`);
  const page = await response.text();

  const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? '';
  const digest = createHash('sha256').update(style).digest('base64');
  assert.equal(
    response.headers.get('content-security-policy'),
    `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.doesNotMatch(page, /<script|<link|<img|<iframe| style=| on\w+=|url\(|@import/);
  assert.match(page, /<meta name="viewport" content="width=device-width, initial-scale=1"/);
});

test('elements on the page are closed in the order in which they were opened', async (t) => {
  const { url } = await startServer(t);

  const page = await (await fetch(`${url}/docs`)).text();

  const open: string[] = [];
  for (const [, end, name = ''] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/g)) {
    if (['meta', 'br', 'hr'].includes(name)) continue;
    if (end === '') open.push(name);
    else assert.equal(open.pop(), name);
  }
  assert.deepEqual(open, []);
});

test('a page that was seen before is not sent again', async (t) => {
  const { url } = await startServer(t);
  const etag = (await fetch(`${url}/docs`)).headers.get('etag') ?? '';

  const again = await fetch(`${url}/docs`, { headers: { 'If-None-Match': etag } });

  assert.equal(again.status, 304);
});

test('what a page shows cannot break it', () => {
  const hostile = `<script>alert("x")</script>&'`;

  assert.equal(html`<p title="${hostile}">${hostile}</p>`.text.match(/<script|"x"|&'/), null);
  assert.equal(marked('a `b<c>` **d** & e').text, 'a <code>b&lt;c&gt;</code> <strong>d</strong> &amp; e');
});
