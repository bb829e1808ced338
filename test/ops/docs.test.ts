import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../../src/http/answer.ts';
import type { Call } from '../../src/http/operation.ts';
import type { SignIn } from '../../src/ops/authority.ts';
import { html, marked } from '../../src/ops/docs/html.ts';
import { docsOperations } from '../../src/ops/docs/index.ts';
import { typeOf } from '../../src/ops/docs/members.ts';
import { declared, document, operations } from './document.ts';
import { startOps } from './support.ts';

const SIGN_IN = {
  clientId: 'docs-client',
  metadataUrl:
    'https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_signin/v2.0/.well-known/openid-configuration',
  scopes: ['https://contoso.onmicrosoft.com/api/tasks.read'],
};

async function getPage(signIn?: SignIn): Promise<Answer> {
  const [getDocs] = docsOperations(() => ({ operations: declared, document, signIn }));
  assert.ok(getDocs);
  return await getDocs.handle({ receivedPath: '/docs' } as Call);
}

async function pageText(): Promise<string> {
  return (await getPage()).body ?? '';
}

test('without JavaScript the page has the guides, the members of a task, every code, and a link to the document', async () => {
  const page = await pageText();

  for (const id of ['start', 'authentication', 'task', 'offline', 'errors']) assert.ok(page.includes(`id="${id}"`), id);
  const members = Object.keys(document.components.schemas['Task']?.['properties'] as object);
  for (const name of members) assert.ok(page.includes(`id="member-${name}"`), name);
  assert.match(page, /array or null, up to 50 items, each with text \(string, 1 to 512 characters\) and completed/);
  for (const code of Object.keys(document.components.examples)) assert.ok(page.includes(`<dt id="${code}">`), code);
  assert.match(page, /<noscript>[^]*<a href="openapi\.json">[^]*<\/noscript>/);
});

test('the index leads to every operation', async () => {
  const page = await pageText();

  for (const { operation, method } of operations().filter(({ method }) => method !== 'head')) {
    const tag = encodeURIComponent((operation as unknown as { tags: string[] }).tags[0] ?? '');
    assert.ok(page.includes(`href="#/${tag}/${operation.operationId}"`), `${method} ${operation.operationId}`);
  }
});

test('every link on the page leads to a place on it, to the document, or to a library of Microsoft’s', async () => {
  const page = await pageText();

  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  const links = [...page.matchAll(/<a\s[^>]*href="([^"]+)"/g)].map(([, link = '']) => link);
  assert.equal(new Set(ids).size, ids.length);
  const places = operations().map(({ operation }) => {
    const [tag = ''] = (operation as unknown as { tags: string[] }).tags;
    return `#/${encodeURIComponent(tag)}/${operation.operationId}`;
  });
  for (const link of links) {
    const isPlace = ids.includes(link.slice(1)) || places.includes(link);
    assert.ok(isPlace || link === 'openapi.json' || link.startsWith('https://github.com/AzureAD/'), link);
  }
});

test('nothing on the page comes from another host or stands in the page itself', async () => {
  const { body = '', headers = {} } = await getPage();

  assert.equal(
    headers['Content-Security-Policy'],
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  for (const [, source = ''] of body.matchAll(/<(?:script|link)[^>]* (?:src|href)="([^"]+)"/g)) {
    assert.match(source, /^(docs\/[\w-]+\/[\w.-]+|data:image\/svg\+xml,.*)$/);
  }
  assert.doesNotMatch(body, /<script>|<style| style=| on\w+=|<img|<iframe/);
});

test('where readers can sign in, the page calls the tenant and no other host', async () => {
  const { body = '', headers = {} } = await getPage(SIGN_IN);

  assert.match(
    headers['Content-Security-Policy'] ?? '',
    /; connect-src 'self' https:\/\/contoso\.b2clogin\.com; base-uri/,
  );
  assert.match(body, /data-client-id="docs-client"/);
  assert.match(body, />Sign in<\/button>/);
});

test('without a client id readers paste a token, and the page knows no tenant', async () => {
  const { body = '', headers = {} } = await getPage();

  assert.match(headers['Content-Security-Policy'] ?? '', /; connect-src 'self'; /);
  assert.doesNotMatch(body, /data-client-id|>Sign in<\/button>/);
  assert.match(body, /Paste a token/);
});

test('the files of the page are kept by browsers until they change', async (t) => {
  const { url } = await startOps(t);
  const page = await (await fetch(`${url}/docs`)).text();
  const files = [...page.matchAll(/"(docs\/[\w-]+\/[\w.-]+)"/g)].map(([, file = '']) => file);
  assert.ok(files.length >= 4);

  for (const file of files) {
    const response = await fetch(`${url}/${file}`);

    assert.equal(response.status, 200, file);
    assert.equal(response.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(response.headers.get('content-encoding'), 'gzip');
    assert.equal(response.headers.get('x-content-type-options') ?? 'nosniff', 'nosniff');
    assert.match(response.headers.get('content-type') ?? '', file.endsWith('.js') ? /^text\/javascript/ : /^text\/css/);
    await response.arrayBuffer();
  }
});

test('a page of another version gets a file as it is now, and does not keep it', async (t) => {
  const { url } = await startOps(t);

  const response = await fetch(`${url}/docs/another/main.js`);

  assert.equal(response.status, 200);
  assert.equal(response.headers.get('cache-control'), 'no-cache');
  await response.arrayBuffer();
});

test('there are no other files than those of the page', async (t) => {
  const { url } = await startOps(t);

  for (const name of ['package.json', 'tsconfig.json', '..%2findex.ts', 'toString']) {
    assert.equal((await fetch(`${url}/docs/x/${name}`)).status, 404, name);
  }
});

test('a page that was seen before is not sent again', async (t) => {
  const { url } = await startOps(t);
  const etag = (await fetch(`${url}/docs`)).headers.get('etag') ?? '';

  const again = await fetch(`${url}/docs`, { headers: { 'If-None-Match': etag } });

  assert.equal(again.status, 304);
});

test('a slash too many at the end leads to the path without it, where the references of the page are right', async (t) => {
  const { url } = await startOps(t);

  for (const path of ['/docs/', '/docs//', '/a/../docs/']) {
    const response = await fetch(url + path);
    assert.equal(response.url, `${url}/docs`);
    assert.equal(response.status, 200);
  }
});

test('elements on the page are closed in the order in which they were opened', async () => {
  const page = await pageText();

  const open: string[] = [];
  for (const [, end, name = ''] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/g)) {
    if (['meta', 'link', 'input', 'br', 'hr'].includes(name)) continue;
    if (end === '') open.push(name);
    else assert.equal(open.pop(), name);
  }
  assert.deepEqual(open, []);
});

test('what a page shows cannot break it', () => {
  const hostile = `<script>alert("x")</script>&'`;

  assert.equal(html`<p title="${hostile}">${hostile}</p>`.text.match(/<script|"x"|&'/), null);
  assert.equal(marked('a `b<c>` **d** & e').text, 'a <code>b&lt;c&gt;</code> <strong>d</strong> &amp; e');
});

test('the type of a member says what it may hold', () => {
  assert.equal(typeOf({ type: 'string', minLength: 1, maxLength: 4096 }), 'string, 1 to 4,096 characters');
  assert.equal(typeOf({ type: ['string', 'null'], format: 'date-time' }), 'string or null, date-time');
  assert.equal(typeOf({ enum: ['low', 'high'], default: 'low' }), 'one of "low", "high", default "low"');
  assert.equal(
    typeOf({ type: 'array', maxItems: 20, items: { type: 'string', minLength: 1, maxLength: 64 } }),
    'array, up to 20 items, each string, 1 to 64 characters',
  );
});
