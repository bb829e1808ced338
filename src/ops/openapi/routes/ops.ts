import { answer, content, example, headOf, json, openOperation, schema, type OperationParts } from '../build.ts';
import type { PathItem } from '../types.ts';

/** GET and HEAD; `name` as in the names of the routes. */
function page(name: string, parts: Omit<OperationParts, 'id' | 'tag'>): PathItem {
  const get = openOperation({ ...parts, id: name === 'Routes' ? 'ListRoutes' : `Get${name}`, tag: 'Service' });
  return { get, head: headOf(get, `Head${name}`) };
}

const routes = page('Routes', {
  summary: 'Every route of this server',
  answers: {
    200: answer(
      'Method and path of each',
      json(schema('Routes'), { routes: example('Two of them', ['GET /api/tasks', 'POST /api/tasks']) }),
      ['ETag'],
    ),
    304: answer('You have it already', undefined, ['ETag']),
  },
  parameters: ['IfNoneMatch'],
  problems: ['NotAcceptable'],
});

const health = page('Health', {
  summary: 'Whether the process serves',
  answers: { 200: answer('It does', json(schema('Status'), { ok: example('Alive', { status: 'ok' }) })) },
  problems: ['NotAcceptable'],
});

const readiness = page('Readiness', {
  summary: 'Whether to send requests here',
  answers: {
    200: answer('Store and keys are there', json(schema('Status'), { ready: example('Ready', { status: 'ready' }) })),
  },
  problems: ['NotAcceptable', 'NotReady'],
});

const metrics = page('Metrics', {
  summary: 'Metrics for Prometheus',
  answers: { 200: answer('The text exposition format', content('text/plain', { type: 'string' })) },
});

const apiDocument = page('ApiDocument', {
  summary: 'This document',
  answers: {
    200: answer('OpenAPI 3.1', json({ type: 'object', required: ['openapi', 'info', 'paths'] }), ['ETag']),
    304: answer('You have it already', undefined, ['ETag']),
  },
  parameters: ['IfNoneMatch'],
  problems: ['NotAcceptable'],
});

const docs = page('Docs', {
  summary: 'This document as a page',
  answers: {
    200: answer('A page', content('text/html', { type: 'string' }), ['ETag', 'Content-Security-Policy']),
    304: answer('You have it already', undefined, ['ETag', 'Content-Security-Policy']),
  },
  parameters: ['IfNoneMatch'],
});

export const opsPaths: Record<string, PathItem> = {
  '/': routes,
  '/healthz': health,
  '/readyz': readiness,
  '/metrics': metrics,
  '/openapi.json': apiDocument,
  '/docs': docs,
};
