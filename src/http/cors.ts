/** Cross-origin requests (the Fetch standard), and the headers that every response carries. */
import type { Request, Response } from 'restify';
import type { HeaderMap } from '../errors.ts';
import { setHeaders } from './respond.ts';

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

/** In every answer, those of the parser included. */
export const ALWAYS = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'private, no-cache' };

/** The headers for the requesting origin; none if it is not allowed. */
export function corsHeaders(origins: readonly string[]): (origin: string | undefined) => HeaderMap {
  const isOpen = origins.includes('*');
  // When the parser refuses a request, its origin may be unknown; the browser compares it anyway.
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
    setHeaders(res, ALWAYS);
    res.setHeader('Vary', vary);
    if (!isHidden(req.getPath())) setHeaders(res, headersFor(req.headers.origin));
  };
}

/**
 * The answer to a preflight. Any requested headers are allowed: there is no cookie or other ambient credential that they
 * could exploit.
 *
 * @param allow the methods of the path
 */
export function preflightHeaders(req: Request, res: Response, allow: string): HeaderMap {
  if (!res.hasHeader('Access-Control-Allow-Origin')) return {};
  const names = (req.headers['access-control-request-headers'] ?? '').trim();
  const isWellFormed = names.length <= MAX_NAMES_CHARS && HEADER_NAMES.test(names);
  return {
    'Access-Control-Allow-Methods': allow,
    'Access-Control-Max-Age': PREFLIGHT_SECONDS,
    ...(isWellFormed && { 'Access-Control-Allow-Headers': names }),
  };
}
