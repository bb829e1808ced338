/**
 * What must happen before restify 12 sees a request: it builds a URL from the Host header without catching errors
 * (restify issue 2011), and lets a Host with a slash choose the route. So the target is parsed here, once, and restify
 * gets the result.
 */
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Request, Server } from 'restify';
import {
  type ApiError,
  BadRequestError,
  ExpectationFailedError,
  NotImplementedError,
  VersionNotSupportedError,
} from '../errors.ts';
import { countHeaders, requestIdFrom } from './request.ts';

// RFC 9112, section 3.2: a registered name or an IP literal, and perhaps a port, which may be empty.
const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::(\d*))?$/;
const ABSOLUTE_FORM = /^https?:\/\/([^/?]*)(.*)$/is;
const MAX_PORT = 65_535;

/** Puts the guards in front of a server. Call it before anything else is mounted. */
export function guard(server: Server, httpServer: HttpServer): void {
  // restify listens for upgrades and never answers them; without a listener Node serves the request as if the header were not there.
  httpServer.removeAllListeners('upgrade');
  // Node itself answers a missing Host and an unknown Expect, in its own format. Both are refused below, in ours. And
  // a client that has ended its side would get no answer that is not ready yet.
  Object.assign(httpServer, { requireHostHeader: false, httpAllowHalfOpen: true });
  // restify answers an expectation without the listeners for requests.
  httpServer.removeAllListeners('checkContinue');
  for (const event of ['checkExpectation', 'checkContinue']) {
    httpServer.on(event, (req: IncomingMessage, res: ServerResponse) => {
      httpServer.emit('request', req, res);
    });
  }
  server.first((req, res) => {
    req.startedAt = performance.now();
    req.requestId = requestIdFrom(req.headers['x-request-id']);
    res.setHeader('X-Request-Id', req.requestId);
    if (isLast(req)) res.setHeader('Connection', 'close');
    try {
      setTarget(req, readTarget(req));
    } catch (refusal) {
      // Nothing can be thrown here. No route has an empty path, so restify comes to its one error path with this request.
      req.rejection = refusal as ApiError;
      setTarget(req, '');
    }
    return undefined;
  });
}

/** Whether this must be the last request on its connection. */
function isLast(req: Request): boolean {
  // Node stops reading after an upgrade that it does not make.
  if (req.headers.upgrade !== undefined || req.httpVersionMajor !== 1) return true;
  // RFC 9112, section 6.1: with a coding and HTTP/1.0 the client may see another end of the body than we do.
  return hasUnknownCoding(req) || (req.httpVersion === '1.0' && req.headers['transfer-encoding'] !== undefined);
}

function hasUnknownCoding({ headers }: Request): boolean {
  const coding = headers['transfer-encoding'];
  return coding !== undefined && coding.trim().toLowerCase() !== 'chunked';
}

/**
 * The target as a path and a query (RFC 9112, section 3.2).
 *
 * @throws {ApiError} for what the parser accepts although RFC 9112 does not.
 */
function readTarget(req: Request): string {
  const { expect } = req.headers;
  if (req.httpVersion === '0.9') throw new BadRequestError('the request line names no version of HTTP');
  if (req.httpVersionMajor !== 1) throw new VersionNotSupportedError();
  // RFC 9112, section 6.1: the end of a body in an unknown coding cannot be known.
  if (hasUnknownCoding(req)) throw new NotImplementedError('send the body in no transfer coding but chunked');
  if (expect !== undefined && req.httpVersion === '1.1' && expect.toLowerCase() !== '100-continue') {
    throw new ExpectationFailedError();
  }
  const target = hasGoodHost(req) ? originForm(req) : undefined;
  if (target === undefined) throw new BadRequestError('the request target or the Host header is malformed');
  return target;
}

function hasGoodHost(req: Request): boolean {
  // RFC 9112, section 3.2.3: HTTP/1.0 has no Host header.
  const { host = req.httpVersion === '1.0' ? 'localhost' : '' } = req.headers;
  return countHeaders(req, 'host') <= 1 && isHost(host);
}

function isHost(text: string): boolean {
  const match = HOST.exec(text);
  return match !== null && Number(match[1] ?? 0) <= MAX_PORT;
}

/** Undefined for an unknown form. */
function originForm(req: Request): string | undefined {
  const target = req.url ?? '/';
  // A fragment is never sent (RFC 9112, section 3.2). Dropping it could turn a DELETE of one thing into one of everything.
  if (target.includes('#')) return undefined;
  if (target.startsWith('/')) return target;
  // The asterisk form asks about the whole server: its root answers.
  if (target === '*' && req.method === 'OPTIONS') return '/';
  const [, authority, rest] = ABSOLUTE_FORM.exec(target) ?? [];
  if (authority === undefined || rest === undefined || !isHost(authority)) return undefined;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Gives restify the cleaned path without parsing: WHATWG parsing would drop a task named `..`. */
function setTarget(req: Request, target: string): void {
  const { path: pathname, receivedPath, query } = splitTarget(target);
  req.receivedPath = receivedPath;
  req.url = pathname;
  const url = { pathname, search: query === '' ? '' : `?${query}` };
  req.getUrl = () => url as ReturnType<Request['getUrl']>;
}

/** A target in origin form: its path, cleaned and as received, and what follows the first question mark. */
export function splitTarget(target: string): { path: string; receivedPath: string; query: string } {
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  const receivedPath = path.includes('%') ? path.replace(ENCODED, decodeUnreserved) : path;
  return { path: cleanPath(receivedPath), receivedPath, query: at < 0 ? '' : target.slice(at + 1) };
}

const ENCODED = /%[2-7][0-9a-f]/gi;

/** RFC 3986, section 6.2.2.2: `%6d` is `m`. The router treats them alike, and so must everything that looks at a path. */
function decodeUnreserved(encoded: string): string {
  const character = String.fromCharCode(parseInt(encoded.slice(1), 16));
  return /[\w.~-]/.test(character) ? character : encoded;
}

/** Doubled slashes become one and a trailing one is dropped, as restify's `sanitizePath` did in the tutorial. */
function cleanPath(path: string): string {
  const cleaned = path.replace(/\/{2,}/g, '/');
  return cleaned.length > 1 && cleaned.endsWith('/') ? cleaned.slice(0, -1) : cleaned;
}
