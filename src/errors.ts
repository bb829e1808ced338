/** Every `code` that a client can receive: one class each, which says when it occurs. The API document and `/docs` quote it. */
import { shortened } from './show.ts';

export type HeaderMap = Readonly<Record<string, string>>;

interface Said extends ErrorOptions {
  message: string;
  headers?: HeaderMap;
  /** For people, if it says more than the message. */
  detail?: string;
}

/** An error the caller is meant to read. Anything else that is thrown is answered with a plain 500. */
export class ApiError extends Error {
  readonly statusCode: number;
  readonly code: string;
  readonly detail: string;
  readonly headers: HeaderMap;

  constructor(statusCode: number, code: string, said: Said) {
    // An answer, not a fault: nobody needs its stack, which costs more than the rest of a refusal.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(said.message, said);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = `${code}Error`;
    this.statusCode = statusCode;
    this.code = code;
    this.detail = said.detail ?? said.message;
    this.headers = said.headers ?? {};
  }
}

/** What a class of errors says about itself in the API document. */
export interface ProblemClass {
  /** When it happens and what to do, in Markdown. */
  readonly when: string;
  /** An instance with the status, code, message and headers that the server would send. */
  readonly example: ApiError;
}

interface Problem<Args extends unknown[]> {
  when: string;
  /** Makes what the client is told from the constructor's arguments; by default the first is the message. */
  says?: (...args: Args) => string | Said;
  /** The constructor's arguments for the example, if it needs any. */
  example?: NoInfer<Args>;
}

function problem<Args extends unknown[] = [message: string]>(
  statusCode: number,
  code: string,
  told: Problem<Args> & ([] extends Args ? object : { example: NoInfer<Args> }),
) {
  const { when, says = (...[message]: Args) => String(message), example } = told;
  return class extends ApiError {
    static readonly when = when;

    static get example(): ApiError {
      return new this(...(example ?? ([] as unknown as Args)));
    }

    constructor(...args: Args) {
      const said = says(...args);
      super(statusCode, code, typeof said === 'string' ? { message: said } : said);
    }
  };
}

const EXAMPLE_ID = '6742d0c4e1a2b3c4d5e6f708';
const RATE_LIMIT = { 'RateLimit-Limit': '10', 'RateLimit-Remaining': '0', 'RateLimit-Reset': '2' };

/** With the challenge of RFC 6750, section 3. It has no error if the client may not have known that it needs credentials. */
function challenging(message: string, error?: string, [name, value] = ['error_description', message]): Said {
  const why = error === undefined ? '' : `, error="${error}", ${name}="${quotable(value)}"`;
  return { message, headers: { 'WWW-Authenticate': `Bearer realm="Users"${why}` } };
}

/** Printable ASCII without quote and backslash, so that nothing ends the quoted string early. */
function quotable(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, '?');
}

/** The request itself is invalid: its target, its headers, or a combination of them. */
export class BadRequestError extends problem(400, 'BadRequest', {
  when: 'The request target or a header is malformed, or headers contradict each other.',
  example: ['the request target or the Host header is malformed'],
}) {}

/** Quotes neither the body nor the parser. */
export class InvalidContentError extends problem(400, 'InvalidContent', {
  when: 'The body does not match its `Content-Type`, or is not UTF-8.',
  example: ['the body is not valid JSON'],
}) {}

export class InvalidTaskError extends problem(400, 'InvalidTask', {
  when: 'A member of the task has the wrong type or value; the message names it.',
  example: ['"completed" must be true or false'],
}) {}

export class InvalidQueryError extends problem(400, 'InvalidQuery', {
  when: 'A query parameter is invalid, repeated or unknown; the message names it.',
  example: ['limit must be a number from 1 to 100'],
}) {}

export class InvalidBatchError extends problem(400, 'InvalidBatch', {
  when: 'The batch, or one of its operations, is malformed; the message names it. Nothing was done.',
  example: ['operations[0].path must be /api/tasks or a path below it, percent-encoded'],
}) {}

/** No credentials, or, with `invalid_token`, invalid ones. */
export class UnauthorizedError extends problem(401, 'Unauthorized', {
  when: 'The token is missing or not valid: sign in again. `WWW-Authenticate` says which.',
  says: (message: string, error?: 'invalid_token') => challenging(message, error),
  example: ['the token has expired', 'invalid_token'],
}) {}

/** The credentials came in a way that RFC 6750 does not allow. */
export class InvalidRequestError extends problem(400, 'InvalidRequest', {
  when: 'The `Authorization` header is malformed, or the token was sent twice or in the wrong place.',
  says: (message: string) => challenging(message, 'invalid_request'),
  example: ['there is more than one Authorization header'],
}) {}

/** The scope is in characters of RFC 6749, section 3.3. */
export class InsufficientScopeError extends problem(403, 'InsufficientScope', {
  when: 'The token is valid, but lacks the scope that `WWW-Authenticate` names.',
  says: (scope: string) => challenging(`the token lacks the scope ${scope}`, 'insufficient_scope', ['scope', scope]),
  example: ['tasks.write'],
}) {}

/** For a server that registers nobody by itself. */
export class NotRegisteredError extends problem(403, 'NotRegistered', {
  when: 'The token is valid, but this service accepts only users whom its operator has added.',
  says: () => 'you are not registered: ask the operator of this service to add you',
}) {}

export class NotFoundError extends problem(404, 'ResourceNotFound', {
  when: 'There is nothing at this path.',
  says: () => 'there is nothing at this path: GET / lists the routes',
}) {}

/** Someone else's task gets the same answer, so nobody learns what exists. */
export class TaskNotFoundError extends problem(404, 'TaskNotFound', {
  when: 'You have no such task. Another user’s task or id gets the same answer.',
  // Quoted as received, but not all of a path of several kilobytes.
  says: (segment: string) => `${shortened(segment)} was not found`,
  example: [EXAMPLE_ID],
}) {}

export class MethodNotAllowedError extends problem(405, 'MethodNotAllowed', {
  when: 'The path exists, but not for this method; `Allow` lists its methods.',
  says: (allow: string) => ({ message: `this path allows ${allow}`, headers: { Allow: allow } }),
  example: ['GET, HEAD, OPTIONS'],
}) {}

export class NotAcceptableError extends problem(406, 'NotAcceptable', {
  when: 'The `Accept` header excludes JSON.',
  says: () => 'this resource is application/json: accept that, or omit the Accept header',
}) {}

export class RequestTimeoutError extends problem(408, 'RequestTimeout', {
  when: 'Headers and body were not complete within 60 seconds.',
  says: () => 'the request was not complete in time: send it again',
}) {}

/** The message is the tutorial's own; the hint says what to change, if the request shows it. */
export class MissingTaskError extends problem(409, 'MissingTask', {
  when: 'The text is missing or blank, or a `DELETE` does not say what to delete.',
  says: (hint?: string) => {
    const message = '"task" is a required parameter';
    return hint === undefined ? message : { message, detail: `${message}: ${hint}` };
  },
}) {}

/** Taken by anyone. */
export class TaskExistsError extends problem(409, 'TaskExists', {
  when: 'The id is already taken.',
  says: (id: string) => `${id} is taken: choose another id`,
  example: [EXAMPLE_ID],
}) {}

export class TooManyTasksError extends problem(409, 'TooManyTasks', {
  when: 'You have reached the limit of 100,000 tasks. Delete some.',
  says: (max: number) => `you have reached the limit of ${max} tasks: delete some`,
  example: [100_000],
}) {}

export class SyncTokenExpiredError extends problem(410, 'SyncTokenExpired', {
  when: 'The sync token is older than 30 days, or the history it belongs to is gone. Start again without one.',
  says: () => 'this sync token has expired: start again without "since"',
}) {}

/** Carries the current tag, so that the client can fetch and decide. */
export class PreconditionFailedError extends problem(412, 'PreconditionFailed', {
  when: '`If-Match` or `If-None-Match` does not hold. `ETag` is the current one.',
  says: (message: string, currentETag?: string) =>
    currentETag === undefined ? message : { message, headers: { ETag: currentETag } },
  example: ['it has changed since: fetch it again and decide', '"6742d0c4e1a2b3c4d5e6f709"'],
}) {}

export class PayloadTooLargeError extends problem(413, 'PayloadTooLarge', {
  when: 'The body is larger than 64 KiB (a batch: 256 KiB).',
  says: (maxBytes: number) => `the body must not exceed ${maxBytes} bytes`,
  example: [65_536],
}) {}

export class UnsupportedMediaTypeError extends problem(415, 'UnsupportedMediaType', {
  when: 'The body is neither JSON nor a form, is compressed, or declares a charset other than UTF-8.',
  example: ['send application/json or application/x-www-form-urlencoded'],
}) {}

/** RFC 9110, section 10.1.1: 100-continue is the only expectation. */
export class ExpectationFailedError extends problem(417, 'ExpectationFailed', {
  when: 'The `Expect` header asks for anything other than 100-continue.',
  says: () => 'only "Expect: 100-continue" is understood',
}) {}

export class IdempotencyKeyReusedError extends problem(422, 'IdempotencyKeyReused', {
  when: 'The same `Idempotency-Key` was sent with another task or path within 24 hours.',
  says: () => 'this Idempotency-Key was used for another request: use a new key for each one',
}) {}

export class TooManyRequestsError extends problem(429, 'TooManyRequests', {
  when: 'You, or your address, have sent too many requests. Wait for the time in `Retry-After`.',
  says: (retryAfterSeconds: number, headers: HeaderMap) => ({
    message: `too many requests: wait ${retryAfterSeconds} s`,
    headers: { ...headers, 'Retry-After': String(retryAfterSeconds) },
  }),
  example: [1, RATE_LIMIT],
}) {}

export class HeadersTooLargeError extends problem(431, 'RequestHeaderFieldsTooLarge', {
  when: 'The request line and headers together exceed 64 KiB.',
  says: () => 'the request line and headers together must not exceed 64 KiB',
}) {}

/** The log has the rest, under the request id. */
export class InternalError extends problem(500, 'InternalError', {
  when: 'Something failed that should not have. Please report the `requestId`.',
  says: (options?: ErrorOptions) => ({
    ...options,
    message: 'something went wrong here: give the requestId to the operator',
  }),
}) {}

/** RFC 9110, section 15.6.2. */
export class NotImplementedError extends problem(501, 'NotImplemented', {
  when: 'The server does not know the method, or the transfer coding of the body.',
  example: ['this server does not know this method'],
}) {}

/** RFC 9110, section 15.6.6. */
export class VersionNotSupportedError extends problem(505, 'VersionNotSupported', {
  when: 'The request uses another version of HTTP.',
  says: () => 'this server speaks HTTP/1.1 and HTTP/1.0',
}) {}

/** The tenant's keys cannot be fetched. The caller did nothing wrong. */
export class TenantUnavailableError extends problem(503, 'TenantUnavailable', {
  when: 'The identity provider cannot be reached, so the token cannot be verified. Try again later.',
  says: (retryAfterSeconds?: number, options?: ErrorOptions) => ({
    ...options,
    message: 'the identity provider cannot be reached: try again later',
    headers: { 'Retry-After': String(retryAfterSeconds ?? 10) },
  }),
}) {}

/** The caller did nothing wrong, and may repeat the request. */
export class StoreUnavailableError extends problem(503, 'StoreUnavailable', {
  when: 'The store cannot be reached. You may repeat the request.',
  says: (options?: ErrorOptions) => ({
    ...options,
    message: 'the store cannot be reached: try again later',
    headers: { 'Retry-After': '2' },
  }),
}) {}

export class NotDoneError extends problem(503, 'NotDone', {
  when: 'In the results of a batch: the operation was not started, because the time, the store, your request limit or the size limit ran out first. Send it again.',
  says: (retryAfterSeconds?: string) => ({
    message: 'this operation was not started: send it again',
    headers: { 'Retry-After': retryAfterSeconds ?? '1' },
  }),
}) {}

/** For probes: the load balancer sends its requests elsewhere. */
export class NotReadyError extends problem(503, 'NotReady', {
  when: 'This instance is not ready to serve, or is stopping; the message names what is missing.',
  says: (missing: readonly string[]) => ({
    message: `not ready: ${missing.join(', ')}`,
    headers: { 'Retry-After': '2' },
  }),
  example: [['the store does not answer']],
}) {}
