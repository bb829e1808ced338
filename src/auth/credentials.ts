import type { Request } from 'restify';
import { InvalidRequestError, UnauthorizedError } from '../errors.ts';
import { bareChallenge, challenge } from './challenge.ts';

// RFC 9110, section 11.2: token68. One space: what BearerStrategy reads.
const BEARER = /^bearer [A-Za-z0-9\-._~+/]+=*$/i;
// RFC 9110, section 11.4: credentials of some scheme.
const OTHER_SCHEME = /^(?!bearer )[!#$%&'*+\-.^_`|~0-9A-Za-z]+ +\S/i;

/**
 * Makes sure that the request carries one bearer token, in the header and nowhere else.
 *
 * @throws {InvalidRequestError} for two headers, a malformed one, or a token in the query or in a body read before.
 * @throws {UnauthorizedError} when there is no token.
 */
export function requireBearerHeader(req: Request): void {
  refuseQueryToken(req);
  refuseBodyToken(req);
  const headers = req.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  const count = headers.filter((name) => name === 'authorization').length;
  // Node keeps the first of two; a proxy in front may have checked the other.
  if (count > 1) throw invalidRequest('there is more than one Authorization header');
  if (count === 0) throw noToken();
  const header = req.headers.authorization ?? '';
  if (BEARER.test(header)) return;
  // RFC 6750, section 3.1: a client that tried another scheme gets the challenge and no error.
  if (OTHER_SCHEME.test(header)) throw noToken();
  throw invalidRequest('the Authorization header must be the word Bearer, one space, and the token');
}

/** The token of a header that `requireBearerHeader` takes, without the scheme. */
export function bearerToken({ headers }: Request): string | undefined {
  const header = headers.authorization ?? '';
  return BEARER.test(header) ? header.slice('Bearer '.length) : undefined;
}

/** RFC 6750, section 2.3 warns of tokens in URLs: they end up in logs and histories. */
function refuseQueryToken(req: Request): void {
  if (new URLSearchParams(req.getQuery()).has('access_token')) {
    throw invalidRequest('the token belongs into the Authorization header, not into the query');
  }
}

/** RFC 6750, section 2: a client must not send the token in more than one way. */
export function refuseBodyToken({ body }: Request): void {
  if (typeof body === 'object' && body !== null && Object.hasOwn(body as object, 'access_token')) {
    throw invalidRequest('the token belongs into the Authorization header, not into the body');
  }
}

function invalidRequest(description: string): InvalidRequestError {
  return new InvalidRequestError(description, challenge('invalid_request', description));
}

function noToken(): UnauthorizedError {
  return new UnauthorizedError('this needs a token: send Authorization: Bearer and the token', bareChallenge());
}
