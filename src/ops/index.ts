/** For operators and newcomers: health, readiness, metrics, the routes and the documentation. Open to all. */
import { NotAcceptableError, NotReadyError } from '../errors.ts';
import { acceptsJson, open, openJson, prefersHtml } from '../http/accept.ts';
import { ok } from '../http/answer.ts';
import type { Operation } from '../http/operation.ts';
import { answer, example, ifNoneMatch, schema } from '../http/schema.ts';
import type { Authority, SignIn } from './authority.ts';
import { docsOperations } from './docs/index.ts';
import { documentOf } from './document.ts';
import { kept, once } from './kept.ts';
import type { Metrics } from './metrics.ts';
import { assertReady, policiesWithoutKeys, type Readiness } from './readiness.ts';

export interface OpsParts {
  readiness: Readiness;
  metrics: Metrics;
  /** Everything that this server does, these operations included. */
  all: () => readonly Operation[];
  /** Where clients get their tokens. */
  authority?: Authority | undefined;
  /** Where readers of the documentation sign in, if they can. */
  signIn?: SignIn | undefined;
}

/** What the answer at `/` depends on. `Origin` counts only if origins are set, but naming it always does no harm. */
const VARY = { Vary: 'Accept, Accept-Encoding, Origin' };

const status = schema('Status', {
  type: 'object',
  required: ['status'],
  properties: {
    status: { type: 'string', enum: ['ok', 'ready'] },
    withoutKeys: {
      type: 'array',
      items: { type: 'string' },
      description: 'Policies (or `external-id`) whose keys are not known: their tokens get 503.',
    },
  },
});
const routes = schema('Routes', { type: 'array', items: { type: 'string', pattern: '^[A-Z]+ /' } });

const documentSchema = schema('ApiDocument', {
  type: 'object',
  required: ['openapi', 'info', 'paths'],
  properties: { openapi: { type: 'string' }, info: { type: 'object' }, paths: { type: 'object' } },
});

export function opsOperations({ readiness, metrics, all, authority, signIn }: OpsParts): Operation[] {
  metrics.watch(readiness);
  const document = once(() => kept(JSON.stringify(documentOf(all(), authority))));
  const routeList = once(() => kept(JSON.stringify(routesOf(all())), { headers: VARY }));
  const get = (name: string, path: string, rest: Omit<Operation, 'name' | 'method' | 'path' | 'tag'>) =>
    ({ name, method: 'GET', path, tag: 'Service', ...rest }) as const;
  const unchanged = answer('Your copy is current', undefined, undefined, ['ETag']);
  const twoRoutes = { two: example('Two', ['GET /api/tasks', 'GET /docs']) };

  return [
    get('ListRoutes', '/', {
      guard: open,
      summary: 'Every route of this server',
      description: 'A browser is redirected to the documentation.',
      parameters: [ifNoneMatch],
      answers: {
        200: answer('Method and path of each', routes, twoRoutes, ['ETag']),
        303: answer('To the documentation, for a browser', undefined, undefined, ['Location']),
        304: unchanged,
      },
      problems: [NotAcceptableError],
      handle: ({ headers }) => {
        if (prefersHtml(headers)) return { status: 303, headers: { Location: 'docs', ...VARY } };
        acceptsJson({ headers });
        return routeList();
      },
    }),
    get('GetHealth', '/healthz', {
      guard: openJson,
      summary: 'Whether the process serves',
      description: 'It ignores the store and the tenant, since a restart mends neither.',
      answers: { 200: answer('It does', status, { ok: example('Alive', { status: 'ok' }) }) },
      handle: () => ok({ status: 'ok' }),
    }),
    get('GetReadiness', '/readyz', {
      guard: openJson,
      summary: 'Whether to send requests here',
      description: 'If not, the message says why: the store, the tenant’s keys, or the instance is stopping.',
      answers: {
        200: answer('The store and the keys are available', status, { ready: example('Ready', { status: 'ready' }) }),
      },
      problems: [NotReadyError],
      handle: () => {
        assertReady(readiness);
        const withoutKeys = policiesWithoutKeys(readiness);
        return ok({ status: 'ready', ...(withoutKeys.length > 0 ? { withoutKeys } : {}) });
      },
    }),
    get('GetMetrics', '/metrics', {
      guard: open,
      summary: 'Metrics for Prometheus',
      description: 'Requests, sign-ins, the store and the process.',
      answers: {
        200: { description: 'The text exposition format', content: { 'text/plain': { schema: { type: 'string' } } } },
      },
      handle: async () => ({ status: 200, body: await metrics.text(), contentType: metrics.contentType }),
    }),
    get('GetApiDocument', '/openapi.json', {
      guard: openJson,
      summary: 'This document',
      description: 'For client generators. It changes only with the version and the configuration of the server.',
      parameters: [ifNoneMatch],
      answers: { 200: answer('OpenAPI 3.1', documentSchema, undefined, ['ETag']), 304: unchanged },
      handle: document,
    }),
    ...docsOperations(() => ({ operations: all(), document: documentOf(all(), authority), signIn })),
  ];
}

/** Everything as `METHOD path`, without OPTIONS, which every path answers. */
function routesOf(operations: readonly Operation[]): string[] {
  return operations.flatMap(({ method, path }) => {
    // `/api/tasks/:id([0-9a-f]{24})` is `/api/tasks/:id` to a reader.
    const shown = path.replace(/\([^/]*\)/g, '');
    return method === 'GET' ? [`GET ${shown}`, `HEAD ${shown}`] : [`${method} ${shown}`];
  });
}
