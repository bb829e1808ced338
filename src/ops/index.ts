/** What operators and newcomers ask: is it alive, is it ready, how is it doing, what can it do. Open to all. */
import type { Request, RequestHandler, Response, Server } from 'restify';
import { acceptsJson } from '../http/accept.ts';
import { mountedRoutes } from '../http/cors.ts';
import { sendBody, sendJson } from '../http/respond.ts';
import { docsHeaders, docsPage } from './docs/page.ts';
import type { Metrics } from './metrics.ts';
import { apiDocument } from './openapi/document.ts';
import { assertReady, type Readiness } from './readiness.ts';

export interface OpsParts {
  readiness: Readiness;
  metrics: Metrics;
}

export function mountOps(server: Server, { readiness, metrics }: OpsParts): void {
  metrics.watch(readiness);
  mount(server, '/', 'Routes', acceptsJson, listRoutes(server));
  mount(server, '/healthz', 'Health', acceptsJson, getHealth);
  mount(server, '/readyz', 'Readiness', acceptsJson, getReadiness(readiness));
  mount(server, '/metrics', 'Metrics', getMetrics(metrics));
  mount(server, '/openapi.json', 'ApiDocument', acceptsJson, getApiDocument);
  mount(server, '/docs', 'Docs', getDocs);
}

// A name of its own for HEAD: restify makes a repeated one unique with random characters, new at each start.
function mount(server: Server, path: string, name: string, ...handlers: RequestHandler[]): void {
  server.get({ path, name: path === '/' ? `List${name}` : `Get${name}` }, ...handlers);
  server.head({ path, name: `Head${name}` }, ...handlers);
}

/** GET / */
function listRoutes(server: Server): RequestHandler {
  return async function listRoutes(req: Request, res: Response): Promise<void> {
    await sendJson(req, res, 200, routeList(server), { etag: 'hash' });
  };
}

/** Everything mounted as `METHOD path`, without OPTIONS, which every path answers. */
function routeList(server: Server): string[] {
  return mountedRoutes(server)
    .filter(({ method }) => method !== 'OPTIONS')
    .map(({ method, path }) => `${method} ${withoutPatterns(path)}`);
}

/** `/api/tasks/:id([0-9a-f]{24})` is `/api/tasks/:id` to a reader. Patterns may hold groups of their own. */
function withoutPatterns(path: string): string {
  const less = path.replace(/\([^()]*\)/g, '');
  return less === path ? path : withoutPatterns(less);
}

/** GET /healthz: the process serves. The store has no say: restarting this process does not mend it. */
async function getHealth(req: Request, res: Response): Promise<void> {
  await sendJson(req, res, 200, { status: 'ok' });
}

/** GET /readyz */
function getReadiness(readiness: Readiness): RequestHandler {
  return async function getReadiness(req: Request, res: Response): Promise<void> {
    assertReady(readiness);
    await sendJson(req, res, 200, { status: 'ready' });
  };
}

/** GET /metrics */
function getMetrics(metrics: Metrics): RequestHandler {
  return async function getMetrics(req: Request, res: Response): Promise<void> {
    await sendBody(req, res, 200, await metrics.text(), { contentType: metrics.contentType });
  };
}

/** GET /openapi.json */
async function getApiDocument(req: Request, res: Response): Promise<void> {
  await sendBody(req, res, 200, documentText(), { etag: 'hash' });
}

/** GET /docs */
async function getDocs(req: Request, res: Response): Promise<void> {
  const contentType = 'text/html; charset=utf-8';
  await sendBody(req, res, 200, pageText(), { etag: 'hash', contentType, headers: docsHeaders });
}

// The same for as long as the process lives, and for nobody in particular.
const documentText = once(() => JSON.stringify(apiDocument()));
const pageText = once(() => docsPage(apiDocument()));

/** Made when it is first asked for. */
function once(make: () => string): () => string {
  let made: string | undefined;
  return () => (made ??= make());
}
