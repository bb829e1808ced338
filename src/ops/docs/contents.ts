/** The index beside the page. */
import type { ApiDocument } from '../openapi/types.ts';
import { type Html, html } from './html.ts';
import type { ListedOperation } from './list.ts';

/** A section of the page: where it is, and what it is called. */
export interface Section {
  id: string;
  title: string;
  content: Html;
}

export function contents(document: ApiDocument, operations: ListedOperation[], sections: Section[]): Html {
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
        ${document.tags.map(({ name }) => tagEntries(name, operations))}
      </div>
    </details>
  </nav>`;
}

function tagEntries(tag: string, operations: ListedOperation[]): Html {
  const own = operations.filter(({ operation }) => operation.tags[0] === tag);
  if (own.length === 0) return html``;
  return html`<h2>${tag}</h2>
    <ul>
      ${own.map(
        ({ method, path, operation, parameters }) =>
          html`<li>
            <a
              href="#/${encodeURIComponent(tag)}/${operation.operationId}"
              data-search="${[path, operation.description, ...parameters.map(({ name }) => name)].join(' ')}"
              ><span class="method ${method.toLowerCase()}">${method}</span> ${operation.summary}</a
            >
          </li> `,
      )}
    </ul>`;
}
