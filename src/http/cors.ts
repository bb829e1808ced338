/** Cross-origin requests (the Fetch standard), OPTIONS, and the headers that every response carries. */
import type { Request, RequestHandler, Response, Server } from 'restify';
import { sendEmpty } from './respond.ts';

const ALLOWED_HEADERS = 'Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Requested-With';
const EXPOSED_HEADERS = 'ETag, Link, Location, Retry-After, WWW-Authenticate, X-Request-Id';
// Two hours, the most that Chromium keeps.
const PREFLIGHT_SECONDS = '7200';

/** For `server.pre`: what every response says about caching, sniffing and origins. */
export function commonHeaders(origins: readonly string[]): RequestHandler {
  const isOpen = origins.includes('*');
  const vary = isOpen ? 'Authorization, Accept-Encoding' : 'Authorization, Accept-Encoding, Origin';
  return async function setCommonHeaders(req: Request, res: Response): Promise<void> {
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('Cache-Control', 'private, no-cache');
    res.setHeader('Vary', vary);
    const origin = isOpen ? '*' : req.headers.origin;
    if (origin === undefined || !(isOpen || origins.includes(origin))) return;
    res.setHeader('Access-Control-Allow-Origin', origin);
    res.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  };
}

/** Answers OPTIONS on every path that is mounted. Call it when all the routes are. */
export function mountOptions(server: Server): void {
  for (const path of new Set(mountedRoutes(server).map((route) => route.path))) {
    const allow = [...methodsOn(server, path), 'OPTIONS'].join(', ');
    server.opts({ path, name: `Options ${path}` }, answerOptions(allow));
  }
}

/**
 * What a path answers, for 405: the methods of the one route path that OPTIONS finds. Restify asks for each method by
 * itself and so counts those of a parameter that stands beside a fixed path.
 */
export function allowedMethods(server: Server, res: Response, pathname: string): string {
  const asked = { method: 'OPTIONS', params: {}, getUrl: () => ({ pathname }) } as RoutedRequest;
  (server.router as unknown as RouteLookup).lookup(asked, res);
  return methodsOn(server, asked.route?.path).join(', ');
}

/** The methods of one route path, as it was mounted. */
function methodsOn(server: Server, path: string | undefined): string[] {
  return mountedRoutes(server)
    .filter((route) => route.path === path)
    .map(({ method }) => method);
}

function answerOptions(allow: string): RequestHandler {
  return async function options(req: Request, res: Response): Promise<void> {
    sendEmpty(req, res, 204, {
      Allow: allow,
      'Access-Control-Allow-Methods': allow,
      'Access-Control-Allow-Headers': ALLOWED_HEADERS,
      'Access-Control-Max-Age': PREFLIGHT_SECONDS,
    });
  };
}

/** What restify's router takes and leaves, which its types leave out. */
interface RouteLookup {
  lookup(req: RoutedRequest, res: Response): unknown;
}

interface RoutedRequest {
  method: string;
  params: object;
  getUrl: () => { pathname: string };
  route?: MountedRoute;
}

export interface MountedRoute {
  readonly name: string;
  readonly method: string;
  /** As mounted, perhaps with patterns in parentheses behind a parameter. */
  readonly path: string;
}

/** What is mounted, in the order of mounting. */
export function mountedRoutes(server: Server): MountedRoute[] {
  const routes = Object.values(server.router.getRoutes()) as unknown as MountedRoute[];
  return routes.map(({ name, method, path }) => ({ name, method, path }));
}
