/** How a token travels in a request. */
import type { Request } from 'restify';
import { InvalidRequestError, UnauthorizedError } from '../errors.ts';
import { countHeaders } from '../http/request.ts';

// RFC 9110, section 11.2: token68. One space: what BearerStrategy reads.
const BEARER = /^bearer [A-Za-z0-9\-._~+/]+=*$/i;
// RFC 9110, section 11.4: credentials of some scheme.
const OTHER_SCHEME = /^(?!bearer )[!#$%&'*+\-.^_`|~0-9A-Za-z]+ +\S/i;

/**
 * The one bearer token of a request, in the header and nowhere else.
 *
 * @throws {InvalidRequestError} for two headers, a malformed one, or a token in the query or in a body already read.
 * @throws {UnauthorizedError} when there is no token.
 */
export function requireBearerToken(req: Request): string {
  refuseStrayToken({ query: req.getQuery(), body: req.body });
  const count = countHeaders(req, 'authorization');
  // Node keeps the first of two; a proxy in front may have checked the other.
  if (count > 1) throw new InvalidRequestError('there is more than one Authorization header');
  if (count === 0) throw new UnauthorizedError(NO_TOKEN);
  const token = bearerToken(req);
  if (token !== undefined) return token;
  // RFC 6750, section 3.1: a client that tried another scheme gets the challenge without an error.
  if (OTHER_SCHEME.test(req.headers.authorization ?? '')) throw new UnauthorizedError(NO_TOKEN);
  throw new InvalidRequestError('the Authorization header must be the word Bearer, one space and the token');
}

const NO_TOKEN = 'a token is required: send it as Authorization: Bearer <token>';

/** The token of a well-formed header, without the scheme. */
export function bearerToken({ headers }: Pick<Request, 'headers'>): string | undefined {
  const header = headers.authorization ?? '';
  return BEARER.test(header) ? header.slice('Bearer '.length) : undefined;
}

// Any of its characters may be percent-encoded. A query may hold tens of thousands of pairs, so none is decoded.
const QUERY_TOKEN = new RegExp(`(?:^|&)${'access_token'.replace(/./g, encodedOrNot)}(?:[=&]|$)`);

function encodedOrNot(character: string): string {
  const hex = character.charCodeAt(0).toString(16);
  return `(?:${character}|%${hex.replace(/[a-f]/, (digit) => `[${digit}${digit.toUpperCase()}]`)})`;
}

/** RFC 6750, section 2.3 warns of tokens in URLs: they end up in logs and histories. */
export function refuseStrayToken({ query, body }: { readonly query: string; readonly body?: unknown }): void {
  if (QUERY_TOKEN.test(query)) {
    throw new InvalidRequestError('the token belongs in the Authorization header, not in the query');
  }
  refuseBodyToken({ body });
}

/** RFC 6750, section 2: a client must not send the token in more than one way. */
export function refuseBodyToken({ body }: { readonly body?: unknown }): void {
  if (typeof body === 'object' && body !== null && Object.hasOwn(body, 'access_token')) {
    throw new InvalidRequestError('the token belongs in the Authorization header, not in the body');
  }
}
