/** GET /docs: the API document as a page that needs nothing else: no script, no font, no other host. */
import { createHash } from 'node:crypto';
import type { HeaderMap } from '../../errors.ts';
import type { ApiDocument } from '../openapi/types.ts';
import { Html, html, marked } from './html.ts';
import { operationSection } from './operation.ts';
import { listOperations, type ListedOperation } from './list.ts';
import { STYLE } from './style.ts';

// In one piece: its digest is in the policy, so not even white space may come between.
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

export function docsPage(document: ApiDocument): string {
  const { info, tags } = document;
  const operations = listOperations(document);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <header>
          <h1>${info.title} <small class="soft">${info.version}</small></h1>
          <p>${marked(info.description)}</p>
          <p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
        </header>
        ${contents(tags, operations)}
        <main>
          ${firstCall()} ${tags.map(({ name, description }) => tagSection(name, description, operations))}
          ${errorSection(document)}
        </main>
      </body>
    </html> `.text;
}

/** Only the style sheet of the page itself is let in. */
export const docsHeaders: HeaderMap = {
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Referrer-Policy': 'no-referrer',
};

function contents(tags: ApiDocument['tags'], operations: ListedOperation[]): Html {
  return html`<nav aria-label="Contents">
    ${tags.map(
      ({ name }) =>
        html`<h4>${name}</h4>
          <ul>
            ${ofTag(name, operations).map(
              ({ operation, method, path }) =>
                html`<li>
                  <a href="#${operation.operationId}"><span class="method">${method}</span> <code>${path}</code></a>
                </li> `,
            )}
          </ul>`,
    )}
    <p><a href="#errors">Errors</a></p>
  </nav>`;
}

function firstCall(): Html {
  return html`<h2>A first call</h2>
    <p>
      Every request under <code>/api/tasks</code>, <code>/tasks</code> and <code>/hello</code> carries an access token:
    </p>
    <pre><code>curl -H "Authorization: Bearer $TOKEN" "$API/api/tasks"
curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
     -d '{"Text": "Buy milk"}' "$API/api/tasks"</code></pre>
    <p>Where there is a <code>GET</code> there is a <code>HEAD</code>, and <code>OPTIONS</code> everywhere.</p>`;
}

function tagSection(name: string, description: string, operations: ListedOperation[]): Html {
  return html`<h2>${name}</h2>
    <p>${marked(description)}</p>
    ${ofTag(name, operations).map(operationSection)}`;
}

function ofTag(name: string, operations: ListedOperation[]): ListedOperation[] {
  return operations.filter(({ operation }) => operation.tags.includes(name));
}

function errorSection({ components }: ApiDocument): Html {
  const entries = Object.entries(components.examples).map(([code, { summary, value }]) => {
    const { status, message } = value as { status: number; message: string };
    return html`<dt id="${code}">${status} <code>${code}</code></dt>
      <dd>${marked(summary)} <span class="soft">“${message}”</span></dd> `;
  });
  return html`<h2 id="errors">Errors</h2>
    <p>
      Errors are <code>application/problem+json</code> (RFC 9457). <code>code</code> is for programs and never changes;
      <code>message</code>, the same as <code>detail</code>, is for a person.
    </p>
    <dl>${entries}</dl>`;
}
