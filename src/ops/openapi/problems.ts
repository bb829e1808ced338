/** Every error that a client can receive, as the server would send it, and when it does. */
import * as errors from '../../errors.ts';
import { problemOf } from '../../http/problem.ts';
import type { Example } from './types.ts';

export interface KnownProblem {
  /** One as it could be thrown: its status, code, message and headers are the server's own. */
  readonly error: errors.ApiError;
  readonly when: string;
}

const BARE_CHALLENGE = 'Bearer realm="Users"';
const EXPIRED = 'the token has expired';
const TWO_HEADERS = 'there is more than one Authorization header';
const RATE_LIMIT = { 'RateLimit-Limit': '10', 'RateLimit-Remaining': '0', 'RateLimit-Reset': '2' };
const EXAMPLE_ID = '6742d0c4e1a2b3c4d5e6f708';

const list: readonly KnownProblem[] = [
  {
    error: new errors.BadRequestError('the request target or the Host header is malformed'),
    when: 'The target or a header is malformed, or headers contradict each other.',
  },
  {
    error: new errors.InvalidContentError('the body is not valid JSON'),
    when: 'The body is not what its `Content-Type` says, or not UTF-8.',
  },
  {
    error: new errors.InvalidTaskError('"completed" must be true or false'),
    when: 'A member of the task has the wrong type or value; the message names it.',
  },
  {
    error: new errors.InvalidQueryError('limit must be a number from 1 to 100'),
    when: 'A query parameter is bad or repeated; the message names it.',
  },
  {
    error: new errors.InvalidRequestError(
      TWO_HEADERS,
      `${BARE_CHALLENGE}, error="invalid_request", error_description="${TWO_HEADERS}"`,
    ),
    when: 'The `Authorization` header is malformed, or the token came twice or in the wrong place.',
  },
  {
    error: new errors.UnauthorizedError(
      EXPIRED,
      `${BARE_CHALLENGE}, error="invalid_token", error_description="${EXPIRED}"`,
    ),
    when: 'There is no token, or it does not verify. `WWW-Authenticate` says which.',
  },
  {
    error: new errors.InsufficientScopeError(
      'the token lacks the scope tasks.write',
      `${BARE_CHALLENGE}, error="insufficient_scope", scope="tasks.write"`,
    ),
    when: 'The token is good, but lacks the scope that `WWW-Authenticate` names.',
  },
  {
    error: new errors.NotRegisteredError(),
    when: 'The token is good, but this service knows only users that its operator has added.',
  },
  { error: new errors.NotFoundError(), when: 'The path names nothing.' },
  {
    error: new errors.TaskNotFoundError(EXAMPLE_ID),
    when: 'You have no such task. Another user’s task, or user, gets the same answer.',
  },
  {
    error: new errors.MethodNotAllowedError('GET, HEAD, OPTIONS'),
    when: 'The path exists, but not for this method; `Allow` lists those that it has.',
  },
  { error: new errors.NotAcceptableError(), when: 'The `Accept` header excludes JSON.' },
  { error: new errors.RequestTimeoutError(), when: 'Headers and body were not complete within 60 seconds.' },
  {
    error: new errors.MissingTaskError(),
    when: 'A text is needed and none came, it is blank, or a `DELETE` does not say what to delete.',
  },
  { error: new errors.TaskExistsError(EXAMPLE_ID), when: 'The id is taken.' },
  { error: new errors.SyncTokenExpiredError(), when: 'The sync token is older than 30 days. Start again without one.' },
  {
    error: new errors.PreconditionFailedError(
      'it has changed since: fetch it again and decide',
      '"6742d0c4e1a2b3c4d5e6f709"',
    ),
    when: '`If-Match` or `If-None-Match` does not hold. `ETag` is the current one.',
  },
  { error: new errors.PayloadTooLargeError(65_536), when: 'The body is larger than 64 KiB.' },
  {
    error: new errors.UnsupportedMediaTypeError('send application/json or application/x-www-form-urlencoded'),
    when: 'The body is neither JSON nor a form, is compressed, or declares a charset other than UTF-8.',
  },
  {
    error: new errors.ExpectationFailedError(),
    when: 'The `Expect` header asks for something else than 100-continue.',
  },
  {
    error: new errors.IdempotencyKeyReusedError(),
    when: 'The same `Idempotency-Key` came with another body or path within 24 hours.',
  },
  {
    error: new errors.TooManyRequestsError(1, RATE_LIMIT),
    when: 'You, or your address, have spent your share of requests. Wait for `Retry-After`.',
  },
  { error: new errors.HeadersTooLargeError(), when: 'Request line and headers are larger than 64 KiB together.' },
  { error: new errors.InternalError(), when: 'Something failed that should not have. Please report the `requestId`.' },
  {
    error: new errors.NotImplementedError('this server knows no such method'),
    when: 'The method, or the transfer coding of the body, is none that this server knows.',
  },
  { error: new errors.VersionNotSupportedError(), when: 'The request is in another version of HTTP.' },
  {
    error: new errors.TenantUnavailableError(),
    when: 'The identity provider cannot be reached, so no token verifies.',
  },
  { error: new errors.StoreUnavailableError(), when: 'The database cannot be reached. The request may be repeated.' },
  {
    error: new errors.NotReadyError(['the store does not answer']),
    when: 'This instance cannot serve yet, or no longer; the message names what is missing.',
  },
];

/** By code. */
export const problems: ReadonlyMap<string, KnownProblem> = new Map(
  list.map((problem) => [problem.error.code, problem]),
);

export function problem(code: string): KnownProblem {
  const known = problems.get(code);
  if (known === undefined) throw new Error(`${code} is no code of this API`);
  return known;
}

export function problemExample({ error, when }: KnownProblem): Example {
  return { summary: when, value: problemOf(error, '2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d') };
}
