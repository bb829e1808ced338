/** GET /docs: guides and index, readable without scripts; the scripts add search, samples, and calls to try. */
import type { HeaderMap } from '../../errors.ts';
import type { Operation } from '../../http/operation.ts';
import type { SignIn } from '../authority.ts';
import { type ApiDocument, documentedPath, parametersOf, TAGS } from '../document.ts';
import { guides, type Section } from './guides.ts';
import { type Html, html, marked } from './html.ts';

// A tick, so that the page is found among the tabs and no browser asks for /favicon.ico.
const ICON =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E%3Crect width=%2216%22 height=%2216%22 rx=%224%22 fill=%22%231558b0%22/%3E%3Cpath d=%22M4 8l3 3 5-6%22 fill=%22none%22 stroke=%22white%22 stroke-width=%222%22/%3E%3C/svg%3E';

export interface PageParts {
  operations: readonly Operation[];
  document: ApiDocument;
  signIn?: SignIn | undefined;
}

/** @param assets where the page's files are, relative to it: `docs/<fingerprint>` */
export function docsPage({ operations, document, signIn }: PageParts, assets: string): string {
  const { info } = document;
  const sections = guides(document, signIn);
  const [first, ...others] = sections.map(shown);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${info.title}</title>
        <link rel="icon" href="${ICON}" />
        <link rel="stylesheet" href="${assets}/swagger-ui.css" />
        <link rel="stylesheet" href="${assets}/page.css" />
        <script src="${assets}/swagger-ui-bundle.js" defer></script>
        <script src="${assets}/main.js" type="module"></script>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header>
          <p class="title"><a href="#start">${info.title}</a> <span class="soft">${info.version}</span></p>
          <p><a href="openapi.json">openapi.json</a></p>
          ${account(signIn)}
        </header>
        <div class="columns">
          ${contents(operations, sections)}
          <main id="main">
            <h1>${info.title}</h1>
            <p>${marked(info.description)}</p>
            ${first}
            <section aria-labelledby="operations">
              <h2 id="operations">Operations</h2>
              <noscript>
                <p>
                  The list of operations and trying calls need JavaScript. The same is in
                  <a href="openapi.json">openapi.json</a>.
                </p>
              </noscript>
              <div id="explorer"></div>
            </section>
            ${others}
          </main>
        </div>
      </body>
    </html> `.text;
}

function shown({ id, title, content }: Section): Html {
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${content}
  </section> `;
}

/** The index beside the page. */
function contents(operations: readonly Operation[], sections: Section[]): Html {
  return html`<nav class="contents" aria-label="Contents">
    <details id="contents">
      <summary>Contents and search</summary>
      <form role="search" id="search">
        <label for="query">Search</label>
        <input id="query" type="search" autocomplete="off" spellcheck="false" aria-describedby="found" />
        <p id="found" role="status"></p>
      </form>
      <ul id="results" hidden></ul>
      <div id="index">
        <h2>Guides</h2>
        <ul>
          ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li> `)}
        </ul>
        ${TAGS.map(({ name }) => tagEntries(name, operations))}
      </div>
    </details>
  </nav>`;
}

function tagEntries(tag: string, operations: readonly Operation[]): Html {
  const own = operations.filter((operation) => operation.tag === tag);
  if (own.length === 0) return html``;
  return html`<h2>${tag}</h2>
    <ul>
      ${own.map(entry)}
    </ul>`;
}

function entry(operation: Operation): Html {
  const { name, method, tag, summary, description } = operation;
  const parameters = parametersOf(operation).map(({ value }) => value.name);
  return html`<li>
    <a
      href="#/${encodeURIComponent(tag)}/${name}"
      data-search="${[documentedPath(operation), description, ...parameters].join(' ')}"
      ><span class="method ${method.toLowerCase()}">${method}</span> ${summary}</a
    >
  </li> `;
}

/** Who the reader is signed in as. The scripts fill it in and show it. */
function account(signIn: SignIn | undefined): Html {
  return html`<div
    id="account"
    hidden
    ${signIn && html`data-client-id="${signIn.clientId}" data-metadata-url="${signIn.metadataUrl}"`}
    ${signIn && html`data-scopes="${signIn.scopes.join(' ')}"`}
  >
    <p id="who" role="status"></p>
    ${signIn && html`<button type="button" id="sign-in">Sign in</button>`}
    <details id="paste">
      <summary>${signIn ? 'or paste a token' : 'Paste a token'}</summary>
      <form id="token-form">
        <label for="token">Access token</label>
        <input id="token" type="password" autocomplete="off" spellcheck="false" required />
        <button>Use it</button>
      </form>
    </details>
    <button type="button" id="sign-out" hidden>Sign out</button>
  </div>`;
}

/** Nothing from another host, nothing inline; besides this server, the page may call only the tenant. */
export function pageHeaders(signIn: SignIn | undefined): HeaderMap {
  const tenant = signIn === undefined ? '' : ` ${new URL(signIn.metadataUrl).origin}`;
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src 'self'${tenant}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache',
  };
}
