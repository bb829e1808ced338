/** The operations in Swagger UI, to read and to try, without the parts that the page has itself or does better. */
import { mend } from './mend.js';
import { createErrors, createSamples } from './notes.js';

/**
 * @param {URL} base
 * @param {import('./account.js').Account} account
 */
export async function showExplorer(base, account) {
  const files = new URL('.', import.meta.url);
  const [spec, notes] = await Promise.all([
    /** @type {Promise<object>} */ (fetchJson(new URL('openapi.json', base))),
    /** @type {Promise<import('./notes.js').Notes>} */ (fetchJson(new URL('notes.json', files))),
  ]);
  const explorer = /** @type {HTMLElement} */ (document.getElementById('explorer'));
  mend(explorer);
  const server = base.href.replace(/\/$/, '');
  const system = SwaggerUIBundle({
    domNode: explorer,
    spec: { ...spec, servers: [{ url: server }] },
    layout: 'OperationsAlone',
    deepLinking: true,
    docExpansion: 'list',
    tryItOutEnabled: true,
    displayRequestDuration: true,
    validatorUrl: null,
    syntaxHighlight: false,
    plugins: [ownParts(createSamples(notes, server), createErrors(notes))],
    requestInterceptor: (request) => {
      if (account.token !== undefined && request.url.startsWith(base.href)) {
        request.headers['Authorization'] = `Bearer ${account.token}`;
      }
      return request;
    },
    responseInterceptor: (response) => {
      if (response.status === 401) account.refused();
      return response;
    },
  });
  // Swagger UI looks at the fragment once, when it starts.
  addEventListener('hashchange', () => {
    if (!location.hash.startsWith('#/')) return;
    system.layoutActions.parseDeepLinkHash(location.hash);
    const operation = location.hash.split('/').at(-1) ?? '';
    requestAnimationFrame(() => {
      explorer.querySelector(`[id$="-${CSS.escape(operation)}"]`)?.scrollIntoView();
    });
  });
}

/**
 * @param {URL} url
 * @returns {Promise<unknown>}
 */
async function fetchJson(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href} is not there: ${response.status}`);
  return response.json();
}

/**
 * @param {(system: System) => Component} samples
 * @param {(system: System) => Component} errors
 * @returns {(system: System) => SwaggerPlugin}
 */
function ownParts(samples, errors) {
  const nothing = () => null;
  return ({ React, getComponent }) => ({
    components: {
      // Swagger UI's own layout would add a second main element, and repeat the title and the description of the page.
      OperationsAlone: () =>
        React.createElement(
          'div',
          { className: 'swagger-ui' },
          React.createElement(getComponent('SvgAssets'), {}),
          React.createElement(getComponent('errors', true), {}),
          React.createElement(getComponent('operations', true), {}),
        ),
      // No link inside a button; the index has the links.
      DeepLink: ({ text }) => React.createElement('span', null, text),
      // Signing in is at the top of the page, and everything can be tried at once.
      authorizeOperationBtn: nothing,
      TryItOutButton: nothing,
    },
    wrapComponents: {
      parameters: (Original, system) => beside(React, samples(system), Original),
      responses: (Original, system) => beside(React, ownAnswers(React, Original), errors(system)),
      curl: (Original) => withoutToken(React, Original),
    },
  });
}

/**
 * @param {System['React']} React
 * @param {Component} First
 * @param {Component} Second
 * @returns {Component}
 */
function beside(React, First, Second) {
  return (props) => [
    React.createElement(First, { key: 'first', ...props }),
    React.createElement(Second, { key: 'second', ...props }),
  ];
}

/** Every answer has them, and "Start here" explains them once. */
const COMMON_HEADERS = ['X-Request-Id', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'];

/**
 * Keeps only the answers that are the operation's own. They were lost among what all operations have: a dozen errors, each
 * with an example, and the same headers.
 *
 * @param {System['React']} React
 * @param {Component} Responses
 * @returns {Component}
 */
function ownAnswers(React, Responses) {
  return ({ responses, ...props }) => {
    const all = /** @type {ImmutableMap} */ (responses);
    const own = all
      .filter((_, status) => Number(status) < 400)
      .map((answer) =>
        answer.update('headers', (headers) => headers?.filter((_, name) => !COMMON_HEADERS.includes(name))),
      );
    return React.createElement(Responses, { ...props, responses: own });
  };
}

/**
 * Hides the token in the line for curl that shows the call: people share their screens, and send pictures of them.
 *
 * @param {System['React']} React
 * @param {Component} Curl
 * @returns {Component}
 */
function withoutToken(React, Curl) {
  return ({ request, ...props }) => {
    const shown = /** @type {ImmutableMap} */ (request).update('headers', (headers) =>
      headers?.has('Authorization') ? headers.set('Authorization', 'Bearer …') : headers,
    );
    return React.createElement(Curl, { ...props, request: shown });
  };
}
