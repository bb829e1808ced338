/** Every `code` that a client can receive: one class each, which says when it happens. The API document and `/docs` quote it. */

export type HeaderMap = Readonly<Record<string, string>>;

interface ApiErrorOptions extends ErrorOptions {
  headers?: HeaderMap;
  /** What a person reads when it is more than the message. */
  detail?: string;
}

/** An error the caller is meant to read. Anything else that is thrown is answered with a plain 500. */
export class ApiError extends Error {
  readonly statusCode: number;
  readonly code: string;
  readonly detail: string;
  readonly headers: HeaderMap;

  constructor(statusCode: number, code: string, message: string, options: ApiErrorOptions = {}) {
    // An answer, not a fault: nobody reads where it was made, and noting that costs more than the rest of a refusal.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, options);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = `${code}Error`;
    this.statusCode = statusCode;
    this.code = code;
    this.detail = options.detail ?? message;
    this.headers = options.headers ?? {};
  }
}

/** What a class of errors says of itself, for those who read the API document. */
export interface ProblemClass {
  /** When it happens and what to do, in Markdown. */
  readonly when: string;
  /** One as it could be thrown: its status, code, message and headers are the server's own. */
  readonly example: ApiError;
}

const EXAMPLE_ID = '6742d0c4e1a2b3c4d5e6f708';
const BARE_CHALLENGE = 'Bearer realm="Users"';
const RATE_LIMIT = { 'RateLimit-Limit': '10', 'RateLimit-Remaining': '0', 'RateLimit-Reset': '2' };

function refusedToken(error: string, description: string): string {
  return `${BARE_CHALLENGE}, error="${error}", error_description="${description}"`;
}

/** The request itself cannot be understood: its target, its headers, or a combination of them. */
export class BadRequestError extends ApiError {
  static readonly when = 'The target or a header is malformed, or headers contradict each other.';
  static readonly example = new BadRequestError('the request target or the Host header is malformed');

  constructor(message: string) {
    super(400, 'BadRequest', message);
  }
}

/** The body cannot be read as what it says it is. Quotes neither the body nor the parser. */
export class InvalidContentError extends ApiError {
  static readonly when = 'The body is not what its `Content-Type` says, or not UTF-8.';
  static readonly example = new InvalidContentError('the body is not valid JSON');

  constructor(message: string) {
    super(400, 'InvalidContent', message);
  }
}

/** A member of a task has the wrong type or value; the message names it. */
export class InvalidTaskError extends ApiError {
  static readonly when = 'A member of the task has the wrong type or value; the message names it.';
  static readonly example = new InvalidTaskError('"completed" must be true or false');

  constructor(message: string) {
    super(400, 'InvalidTask', message);
  }
}

/** A query parameter is bad or repeated; the message names it. */
export class InvalidQueryError extends ApiError {
  static readonly when = 'A query parameter is bad, repeated or unknown; the message names it.';
  static readonly example = new InvalidQueryError('limit must be a number from 1 to 100');

  constructor(message: string) {
    super(400, 'InvalidQuery', message);
  }
}

/** A batch that cannot be understood; the message names the operation. Nothing of it is done. */
export class InvalidBatchError extends ApiError {
  static readonly when = 'The batch, or one of its operations, is malformed; the message names it. Nothing was done.';
  static readonly example = new InvalidBatchError('operations[0].path must be one of /api/tasks…');

  constructor(message: string) {
    super(400, 'InvalidBatch', message);
  }
}

/** No credentials, or credentials that do not hold (RFC 6750, section 3). */
export class UnauthorizedError extends ApiError {
  static readonly when = 'There is no token, or it does not verify: sign in again. `WWW-Authenticate` says which.';
  static readonly example = new UnauthorizedError(
    'the token has expired',
    refusedToken('invalid_token', 'the token has expired'),
  );

  constructor(message: string, challenge: string) {
    super(401, 'Unauthorized', message, { headers: { 'WWW-Authenticate': challenge } });
  }
}

/** The credentials came in a way that RFC 6750 does not allow. */
export class InvalidRequestError extends ApiError {
  static readonly when = 'The `Authorization` header is malformed, or the token came twice or in the wrong place.';
  static readonly example = new InvalidRequestError(
    'there is more than one Authorization header',
    refusedToken('invalid_request', 'there is more than one Authorization header'),
  );

  constructor(message: string, challenge: string) {
    super(400, 'InvalidRequest', message, { headers: { 'WWW-Authenticate': challenge } });
  }
}

/** The token is good, but lacks the scope that this operation needs. */
export class InsufficientScopeError extends ApiError {
  static readonly when = 'The token is good, but lacks the scope that `WWW-Authenticate` names.';
  static readonly example = new InsufficientScopeError(
    'the token lacks the scope tasks.write',
    `${BARE_CHALLENGE}, error="insufficient_scope", scope="tasks.write"`,
  );

  constructor(message: string, challenge: string) {
    super(403, 'InsufficientScope', message, { headers: { 'WWW-Authenticate': challenge } });
  }
}

/** The token is good, but nobody has registered its user, and this server registers nobody by itself. */
export class NotRegisteredError extends ApiError {
  static readonly when = 'The token is good, but this service knows only users that its operator has added.';
  static readonly example = new NotRegisteredError();

  constructor() {
    super(403, 'NotRegistered', 'this user is not registered: ask the operator of this service to add you');
  }
}

/** The path names nothing. */
export class NotFoundError extends ApiError {
  static readonly when = 'The path names nothing.';
  static readonly example = new NotFoundError();

  constructor() {
    super(404, 'ResourceNotFound', 'there is nothing at this path: GET / lists the routes');
  }
}

// Enough to recognise it by.
const MAX_QUOTED = 200;

/** The caller has no such task. Someone else's task gets the same answer, so nobody learns what exists. */
export class TaskNotFoundError extends ApiError {
  static readonly when = 'You have no such task. Another user’s task, or user, gets the same answer.';
  static readonly example = new TaskNotFoundError(EXAMPLE_ID);

  /** @param segment what was asked for, quoted as it came, though not all of a path of several kilobytes. */
  constructor(segment: string) {
    const isLong = segment.length > MAX_QUOTED;
    const quoted = isLong ? `${segment.slice(0, MAX_QUOTED).toWellFormed()}…` : segment;
    super(404, 'TaskNotFound', `${quoted} was not found`);
  }
}

/** The path exists, but not for this method. */
export class MethodNotAllowedError extends ApiError {
  static readonly when = 'The path exists, but not for this method; `Allow` lists those that it has.';
  static readonly example = new MethodNotAllowedError('GET, HEAD, OPTIONS');

  constructor(allow: string) {
    super(405, 'MethodNotAllowed', `this path answers ${allow}`, { headers: { Allow: allow } });
  }
}

/** The client accepts nothing that this route can produce. */
export class NotAcceptableError extends ApiError {
  static readonly when = 'The `Accept` header excludes JSON.';
  static readonly example = new NotAcceptableError();

  constructor() {
    super(406, 'NotAcceptable', 'this resource is application/json: accept that, or send no Accept header');
  }
}

/** The request was not complete in time. */
export class RequestTimeoutError extends ApiError {
  static readonly when = 'Headers and body were not complete within 60 seconds.';
  static readonly example = new RequestTimeoutError();

  constructor() {
    super(408, 'RequestTimeout', 'the request was not complete in time: send it again');
  }
}

/** A text is needed and none came. The message is the tutorial's own. */
export class MissingTaskError extends ApiError {
  static readonly when = 'A text is needed and none came, it is blank, or a `DELETE` does not say what to delete.';
  static readonly example = new MissingTaskError();

  /** @param hint what to change, when the request tells. */
  constructor(hint?: string) {
    const message = '"task" is a required parameter';
    super(409, 'MissingTask', message, hint === undefined ? {} : { detail: `${message}: ${hint}` });
  }
}

/** The id is taken, by whomever. */
export class TaskExistsError extends ApiError {
  static readonly when = 'The id is taken.';
  static readonly example = new TaskExistsError(EXAMPLE_ID);

  constructor(id: string) {
    super(409, 'TaskExists', `${id} is taken: choose another id`);
  }
}

/** The user keeps as many tasks as anybody may. */
export class TooManyTasksError extends ApiError {
  static readonly when = 'You keep as many tasks as anybody may: 100,000. Delete some.';
  static readonly example = new TooManyTasksError(100_000);

  constructor(max: number) {
    super(409, 'TooManyTasks', `you keep ${max} tasks, and nobody may keep more: delete some`);
  }
}

/** The sync token is too old, or from before the data it points into was erased. */
export class SyncTokenExpiredError extends ApiError {
  static readonly when =
    'The sync token is older than 30 days, or its history is no longer there. Start again without one.';
  static readonly example = new SyncTokenExpiredError();

  constructor() {
    super(410, 'SyncTokenExpired', 'this sync token has expired: start again without "since"');
  }
}

/** A condition of the request does not hold. Carries the current tag, so that the client can fetch and decide. */
export class PreconditionFailedError extends ApiError {
  static readonly when = '`If-Match` or `If-None-Match` does not hold. `ETag` is the current one.';
  static readonly example = new PreconditionFailedError(
    'it has changed since: fetch it again and decide',
    '"6742d0c4e1a2b3c4d5e6f709"',
  );

  constructor(message: string, currentETag?: string) {
    super(412, 'PreconditionFailed', message, currentETag === undefined ? {} : { headers: { ETag: currentETag } });
  }
}

/** The body is larger than this server reads. */
export class PayloadTooLargeError extends ApiError {
  static readonly when = 'The body is larger than 64 KiB (a batch: 256 KiB).';
  static readonly example = new PayloadTooLargeError(65_536);

  constructor(maxBytes: number) {
    super(413, 'PayloadTooLarge', `the body may have ${maxBytes} bytes at most`);
  }
}

/** The body is of a type, charset or coding that this route does not read. */
export class UnsupportedMediaTypeError extends ApiError {
  static readonly when = 'The body is neither JSON nor a form, is compressed, or declares a charset other than UTF-8.';
  static readonly example = new UnsupportedMediaTypeError('send application/json or application/x-www-form-urlencoded');

  constructor(message: string) {
    super(415, 'UnsupportedMediaType', message);
  }
}

/** RFC 9110, section 10.1.1: 100-continue is the only expectation there is. */
export class ExpectationFailedError extends ApiError {
  static readonly when = 'The `Expect` header asks for anything other than 100-continue.';
  static readonly example = new ExpectationFailedError();

  constructor() {
    super(417, 'ExpectationFailed', 'only "Expect: 100-continue" is understood');
  }
}

/** The idempotency key was used for another request within its lifetime. */
export class IdempotencyKeyReusedError extends ApiError {
  static readonly when = 'The same `Idempotency-Key` came with another task or path within 24 hours.';
  static readonly example = new IdempotencyKeyReusedError();

  constructor() {
    const message = 'this Idempotency-Key was used for another request: make a new key for each one';
    super(422, 'IdempotencyKeyReused', message);
  }
}

/** The caller has spent its share of requests. */
export class TooManyRequestsError extends ApiError {
  static readonly when = 'You, or your address, have spent your share of requests. Wait for `Retry-After`.';
  static readonly example = new TooManyRequestsError(1, RATE_LIMIT);

  constructor(retryAfterSeconds: number, headers: HeaderMap) {
    super(429, 'TooManyRequests', `too many requests: wait ${retryAfterSeconds} s`, {
      headers: { ...headers, 'Retry-After': String(retryAfterSeconds) },
    });
  }
}

/** Request line and headers are larger than this server reads. */
export class HeadersTooLargeError extends ApiError {
  static readonly when = 'Request line and headers are larger than 64 KiB together.';
  static readonly example = new HeadersTooLargeError();

  constructor() {
    super(431, 'RequestHeaderFieldsTooLarge', 'request line and headers may have 64 KiB together at most');
  }
}

/** Something failed that should not have. The log has the rest, under the request id. */
export class InternalError extends ApiError {
  static readonly when = 'Something failed that should not have. Please report the `requestId`.';
  static readonly example = new InternalError();

  constructor(options?: ErrorOptions) {
    super(500, 'InternalError', 'something went wrong here: give the requestId to the operator', options);
  }
}

/** RFC 9110, section 15.6.2: a method, or a transfer coding, that this server knows nothing of. */
export class NotImplementedError extends ApiError {
  static readonly when = 'The method, or the transfer coding of the body, is none that this server knows.';
  static readonly example = new NotImplementedError('this server knows no such method');

  constructor(message: string) {
    super(501, 'NotImplemented', message);
  }
}

/** RFC 9110, section 15.6.6. */
export class VersionNotSupportedError extends ApiError {
  static readonly when = 'The request is in another version of HTTP.';
  static readonly example = new VersionNotSupportedError();

  constructor() {
    super(505, 'VersionNotSupported', 'this server speaks HTTP/1.1 and HTTP/1.0');
  }
}

/** No keys can be had from the tenant, so no token can be verified. The caller did nothing wrong. */
export class TenantUnavailableError extends ApiError {
  static readonly when = 'The identity provider cannot be reached, so no token verifies. Try again later.';
  static readonly example = new TenantUnavailableError();

  constructor(retryAfterSeconds = 10, options?: ErrorOptions) {
    super(503, 'TenantUnavailable', 'the identity provider cannot be reached: try again later', {
      ...options,
      headers: { 'Retry-After': String(retryAfterSeconds) },
    });
  }
}

/** The database does not answer. The caller did nothing wrong, and may repeat the request. */
export class StoreUnavailableError extends ApiError {
  static readonly when = 'The database cannot be reached. The request may be repeated.';
  static readonly example = new StoreUnavailableError();

  constructor(options?: ErrorOptions) {
    super(503, 'StoreUnavailable', 'the store cannot be reached: try again later', {
      ...options,
      headers: { 'Retry-After': '2' },
    });
  }
}

/** An operation of a batch that was not begun. */
export class NotDoneError extends ApiError {
  static readonly when =
    'In the results of a batch: the operation was not begun, since the time, the store, your share or the room for answers ended before it. Send it again.';
  static readonly example = new NotDoneError();

  constructor(retryAfterSeconds = '1') {
    super(503, 'NotDone', 'this operation was not begun: send it again', {
      headers: { 'Retry-After': retryAfterSeconds },
    });
  }
}

/** This instance cannot serve yet, or no longer. For probes: a balancer sends its requests elsewhere. */
export class NotReadyError extends ApiError {
  static readonly when = 'This instance cannot serve yet, or no longer; the message names what is missing.';
  static readonly example = new NotReadyError(['the store does not answer']);

  constructor(missing: readonly string[]) {
    super(503, 'NotReady', `not ready: ${missing.join(', ')}`, { headers: { 'Retry-After': '2' } });
  }
}
