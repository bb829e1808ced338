/** What operators and newcomers ask: is it alive, is it ready, how is it doing, what can it do. Open to all. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { NotAcceptableError, NotReadyError } from '../errors.ts';
import { acceptsJson, open, openJson, prefersHtml } from '../http/accept.ts';
import { type Answer, JSON_TYPE, ok } from '../http/answer.ts';
import type { Operation } from '../http/operation.ts';
import { answer, example, ifNoneMatch, schema } from '../http/schema.ts';
import type { Authority } from './authority.ts';
import { docsSite } from './docs/index.ts';
import { docsOperations } from './docs/operations.ts';
import type { SignIn } from './docs/signIn.ts';
import type { Metrics } from './metrics.ts';
import { documentOf } from './openapi/document.ts';
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

/** What the answer at `/` depends on. Its origins may be set; to name the header when they are not does no harm. */
const VARY = { Vary: 'Accept, Accept-Encoding, Origin' };

const status = schema('Status', {
  type: 'object',
  required: ['status'],
  properties: {
    status: { type: 'string', enum: ['ok', 'ready'] },
    withoutKeys: {
      type: 'array',
      items: { type: 'string' },
      description: 'Policies (or `external-id`) whose keys are not known: their tokens are answered 503.',
    },
  },
});
const routes = schema('Routes', { type: 'array', items: { type: 'string', pattern: '^[A-Z]+ /' } });

const documentSchema = schema('ApiDocument', {
  type: 'object',
  required: ['openapi', 'info', 'paths'],
  properties: { openapi: { type: 'string' }, info: { type: 'object' }, paths: { type: 'object' } },
});

type Shown = Pick<Operation, 'guard' | 'summary' | 'description' | 'answers' | 'handle'>;

export function opsOperations({ readiness, metrics, all, authority, signIn }: OpsParts): Operation[] {
  metrics.watch(readiness);
  const routeList = fixed(() => ({ body: JSON.stringify(routesOf(all())), headers: VARY }));
  const apiDocument = () => documentOf(all(), authority);
  const document = fixed(() => ({ body: JSON.stringify(apiDocument()) }));
  const get = (name: string, path: string, rest: Shown) =>
    ({ name, method: 'GET', path, tag: 'Service', ...rest }) as const;
  const unchanged = answer('You have it already', undefined, undefined, ['ETag']);

  return [
    {
      ...get('ListRoutes', '/', {
        guard: open,
        summary: 'Every route of this server',
        answers: {
          200: answer('Method and path of each', routes, { two: example('Two', ['GET /api/tasks', 'GET /docs']) }, [
            'ETag',
          ]),
          303: answer('To the documentation, for a browser', undefined, undefined, ['Location']),
          304: unchanged,
        },
        handle: ({ headers }) => {
          if (prefersHtml(headers)) return { status: 303, headers: { Location: 'docs', ...VARY } };
          acceptsJson({ headers });
          return routeList();
        },
      }),
      description: 'A browser is led to the documentation.',
      parameters: [ifNoneMatch],
      problems: [NotAcceptableError],
    },
    get('GetHealth', '/healthz', {
      guard: openJson,
      summary: 'Whether the process serves',
      description: 'Whatever its store and its tenant do: to restart it mends neither.',
      answers: { 200: answer('It does', status, { ok: example('Alive', { status: 'ok' }) }) },
      // The store has no say: restarting this process does not mend it.
      handle: () => ok({ status: 'ok' }),
    }),
    {
      ...get('GetReadiness', '/readyz', {
        guard: openJson,
        summary: 'Whether to send requests here',
        description:
          'Where not, the message names what is missing: the store, the keys of the tenant, or time, when it shuts down.',
        answers: { 200: answer('Store and keys are there', status, { ready: example('Ready', { status: 'ready' }) }) },
        handle: () => {
          assertReady(readiness);
          const withoutKeys = policiesWithoutKeys(readiness);
          return ok({ status: 'ready', ...(withoutKeys.length > 0 ? { withoutKeys } : {}) });
        },
      }),
      problems: [NotReadyError],
    },
    get('GetMetrics', '/metrics', {
      guard: open,
      summary: 'Metrics for Prometheus',
      description: 'Requests, sign-ins, the store and the process.',
      answers: {
        200: { description: 'The text exposition format', content: { 'text/plain': { schema: { type: 'string' } } } },
      },
      handle: async () => ({ status: 200, body: await metrics.text(), contentType: metrics.contentType }),
    }),
    {
      ...get('GetApiDocument', '/openapi.json', {
        guard: openJson,
        summary: 'This document',
        description:
          'For a generator of clients. It changes with the version and the configuration of the server only.',
        answers: {
          200: answer('OpenAPI 3.1', documentSchema, undefined, ['ETag']),
          304: unchanged,
        },
        handle: document,
      }),
      parameters: [ifNoneMatch],
    },
    ...docsOperations(docsSite(apiDocument, signIn)),
  ];
}

/** Everything as `METHOD path`, without OPTIONS, which every path answers. */
function routesOf(operations: readonly Operation[]): string[] {
  return operations.flatMap(({ method, path }) => {
    const shown = withoutPatterns(path);
    return method === 'GET' ? [`GET ${shown}`, `HEAD ${shown}`] : [`${method} ${shown}`];
  });
}

/** `/api/tasks/:id([0-9a-f]{24})` is `/api/tasks/:id` to a reader. */
function withoutPatterns(path: string): string {
  return path.replace(/\([^/]*\)/g, '');
}

/**
 * An answer that stays the same for as long as the process lives: made when it is first asked for, compressed once, and with
 * one tag.
 */
function fixed(make: () => Omit<Answer, 'status' | 'body'> & { body: string }): () => Answer {
  let made: Answer | undefined;
  return () => (made ??= withGzip({ status: 200, contentType: JSON_TYPE, ...make() }));
}

function withGzip(answer: Answer & { body: string }): Answer {
  const etag = createHash('sha256').update(answer.body).digest('base64url').slice(0, 27);
  return { ...answer, etag, gzip: gzipSync(answer.body) };
}
