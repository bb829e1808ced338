/** Cross-origin requests (the Fetch standard), OPTIONS, and the headers that every response carries. */
import type { Request, RequestHandler, Response, Server } from 'restify';
import type { HeaderMap } from '../errors.ts';
import { send } from './respond.ts';

const EXPOSED_HEADERS = [
  'ETag',
  'Link',
  'Location',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
].join(', ');
// Two hours, the most that Chromium keeps.
const PREFLIGHT_SECONDS = '7200';
const MAX_NAMES_CHARS = 4_096;
// RFC 9110, section 5.1: names of headers are tokens.
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]+(?:[ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]+)*$/;

/** What an answer says to the origin that asks; nothing to one that is not allowed. */
export function corsHeaders(origins: readonly string[]): (origin: string | undefined) => HeaderMap {
  const isOpen = origins.includes('*');
  // When the parser refuses a request, its origin may not be known; a browser compares it in any case.
  const only = origins.length === 1 ? origins[0] : undefined;
  return (origin = only) => {
    const allowed = isOpen ? '*' : origins.find((other) => other === origin);
    if (allowed === undefined) return {};
    return { 'Access-Control-Allow-Origin': allowed, 'Access-Control-Expose-Headers': EXPOSED_HEADERS };
  };
}

/**
 * What every response says about caching, sniffing and origins.
 *
 * @param isHidden paths that scripts of other origins may not read.
 */
export function commonHeaders(
  origins: readonly string[],
  isHidden: (path: string) => boolean,
): (req: Request, res: Response) => void {
  const headersFor = corsHeaders(origins);
  const vary = origins.includes('*') ? 'Authorization, Accept-Encoding' : 'Authorization, Accept-Encoding, Origin';
  return (req, res) => {
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('Cache-Control', 'private, no-cache');
    res.setHeader('Vary', vary);
    if (isHidden(req.getPath())) return;
    const headers = headersFor(req.headers.origin);
    for (const name in headers) res.setHeader(name, headers[name] ?? '');
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
  return methodsOn(server, lookUp(server, 'OPTIONS', pathname, res)?.path).join(', ');
}

/** The route that a method at a path leads to, with the parameters of the path. */
export function lookUp(
  server: Server,
  method: string,
  pathname: string,
  res: Response,
): (MountedRoute & { params: Record<string, string> }) | undefined {
  const asked = { method, params: {}, getUrl: () => ({ pathname }) } as RoutedRequest;
  (server.router as unknown as RouteLookup).lookup(asked, res);
  return asked.route === undefined ? undefined : { ...asked.route, params: asked.params };
}

/** The methods of one route path, as it was mounted. */
function methodsOn(server: Server, path: string | undefined): string[] {
  return mountedRoutes(server)
    .filter((route) => route.path === path)
    .map(({ method }) => method);
}

function answerOptions(allow: string): RequestHandler {
  return async function options(req: Request, res: Response): Promise<void> {
    const isAllowed = res.getHeader('Access-Control-Allow-Origin') !== undefined;
    await send(req, res, { status: 204, headers: { Allow: allow, ...(isAllowed && preflightHeaders(req, allow)) } });
  };
}

/** Whatever headers are asked for: there is no cookie or other ambient credential that they could turn to use. */
function preflightHeaders(req: Request, allow: string): HeaderMap {
  const names = (req.headers['access-control-request-headers'] ?? '').trim();
  const isWellFormed = names.length <= MAX_NAMES_CHARS && HEADER_NAMES.test(names);
  return {
    'Access-Control-Allow-Methods': allow,
    'Access-Control-Max-Age': PREFLIGHT_SECONDS,
    ...(isWellFormed && { 'Access-Control-Allow-Headers': names }),
  };
}

/** What restify's router takes and leaves, which its types leave out. */
interface RouteLookup {
  lookup(req: RoutedRequest, res: Response): unknown;
}

interface RoutedRequest {
  method: string;
  params: Record<string, string>;
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
