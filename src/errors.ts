/** Every `code` that a client can receive, one class each. When each one comes is in `ops/openapi/problems.ts`, for `/docs`. */

export type HeaderMap = Readonly<Record<string, string>>;

/** An error the caller is meant to read. Anything else that is thrown is answered with a plain 500. */
export class ApiError extends Error {
  readonly statusCode: number;
  readonly code: string;
  readonly headers: HeaderMap;

  constructor(statusCode: number, code: string, message: string, options: ErrorOptions & { headers?: HeaderMap } = {}) {
    super(message, options);
    this.name = `${code}Error`;
    this.statusCode = statusCode;
    this.code = code;
    this.headers = options.headers ?? {};
  }
}

/** The request itself cannot be understood: its target, its headers, or a combination of them. */
export class BadRequestError extends ApiError {
  constructor(message: string) {
    super(400, 'BadRequest', message);
  }
}

/** The body cannot be read as what it says it is. Quotes neither the body nor the parser. */
export class InvalidContentError extends ApiError {
  constructor(message: string) {
    super(400, 'InvalidContent', message);
  }
}

/** A member of a task has the wrong type or value; the message names it. */
export class InvalidTaskError extends ApiError {
  constructor(message: string) {
    super(400, 'InvalidTask', message);
  }
}

/** A query parameter is bad or repeated; the message names it. */
export class InvalidQueryError extends ApiError {
  constructor(message: string) {
    super(400, 'InvalidQuery', message);
  }
}

/** No credentials, or credentials that do not hold (RFC 6750, section 3). */
export class UnauthorizedError extends ApiError {
  constructor(message: string, challenge: string) {
    super(401, 'Unauthorized', message, { headers: { 'WWW-Authenticate': challenge } });
  }
}

/** The credentials came in a way that RFC 6750 does not allow. */
export class InvalidRequestError extends ApiError {
  constructor(message: string, challenge: string) {
    super(400, 'InvalidRequest', message, { headers: { 'WWW-Authenticate': challenge } });
  }
}

/** The token is good, but lacks the scope that this operation needs. */
export class InsufficientScopeError extends ApiError {
  constructor(message: string, challenge: string) {
    super(403, 'InsufficientScope', message, { headers: { 'WWW-Authenticate': challenge } });
  }
}

/** The token is good, but nobody has registered its user, and this server registers nobody by itself. */
export class NotRegisteredError extends ApiError {
  constructor() {
    super(403, 'NotRegistered', 'this user is not registered: ask the operator of this service to add you');
  }
}

/** The path names nothing. */
export class NotFoundError extends ApiError {
  constructor() {
    super(404, 'ResourceNotFound', 'there is nothing at this path: GET / lists the routes');
  }
}

/** The caller has no such task. Someone else's task gets the same answer, so nobody learns what exists. */
export class TaskNotFoundError extends ApiError {
  constructor(segment: string) {
    super(404, 'TaskNotFound', `${segment} was not found`);
  }
}

/** The path exists, but not for this method. */
export class MethodNotAllowedError extends ApiError {
  constructor(allow: string) {
    super(405, 'MethodNotAllowed', `this path answers ${allow}`, { headers: { Allow: allow } });
  }
}

/** The client accepts nothing that this route can produce. */
export class NotAcceptableError extends ApiError {
  constructor() {
    super(406, 'NotAcceptable', 'this resource is application/json: accept that, or send no Accept header');
  }
}

/** The request was not complete in time. */
export class RequestTimeoutError extends ApiError {
  constructor() {
    super(408, 'RequestTimeout', 'the request was not complete in time: send it again');
  }
}

/** A text is needed and none came. The message is the tutorial's own. */
export class MissingTaskError extends ApiError {
  constructor() {
    super(409, 'MissingTask', '"task" is a required parameter');
  }
}

/** The id is taken, by whomever. */
export class TaskExistsError extends ApiError {
  constructor(id: string) {
    super(409, 'TaskExists', `${id} is taken: choose another id`);
  }
}

/** The sync token is too old, or from before the data it points into was erased. */
export class SyncTokenExpiredError extends ApiError {
  constructor() {
    super(410, 'SyncTokenExpired', 'this sync token has expired: start again without "since"');
  }
}

/** A condition of the request does not hold. Carries the current tag, so that the client can fetch and decide. */
export class PreconditionFailedError extends ApiError {
  constructor(message: string, currentETag?: string) {
    super(412, 'PreconditionFailed', message, currentETag === undefined ? {} : { headers: { ETag: currentETag } });
  }
}

/** The body is larger than this server reads. */
export class PayloadTooLargeError extends ApiError {
  constructor(maxBytes: number) {
    super(413, 'PayloadTooLarge', `the body may have ${maxBytes} bytes at most`);
  }
}

/** The body is of a type, charset or coding that this route does not read. */
export class UnsupportedMediaTypeError extends ApiError {
  constructor(message: string) {
    super(415, 'UnsupportedMediaType', message);
  }
}

/** RFC 9110, section 10.1.1: 100-continue is the only expectation there is. */
export class ExpectationFailedError extends ApiError {
  constructor() {
    super(417, 'ExpectationFailed', 'only "Expect: 100-continue" is understood');
  }
}

/** The idempotency key was used for another request within its lifetime. */
export class IdempotencyKeyReusedError extends ApiError {
  constructor() {
    super(
      422,
      'IdempotencyKeyReused',
      'this Idempotency-Key was used for another request: make a new key for each one',
    );
  }
}

/** The caller has spent its share of requests. */
export class TooManyRequestsError extends ApiError {
  constructor(retryAfterSeconds: number, headers: HeaderMap) {
    super(429, 'TooManyRequests', `too many requests: wait ${retryAfterSeconds} s`, {
      headers: { ...headers, 'Retry-After': String(retryAfterSeconds) },
    });
  }
}

/** Request line and headers are larger than this server reads. */
export class HeadersTooLargeError extends ApiError {
  constructor() {
    super(431, 'RequestHeaderFieldsTooLarge', 'request line and headers may have 64 KiB together at most');
  }
}

/** Something failed that should not have. The log has the rest, under the request id. */
export class InternalError extends ApiError {
  constructor(options?: ErrorOptions) {
    super(500, 'InternalError', 'something went wrong here: give the requestId to the operator', options);
  }
}

/** RFC 9110, section 15.6.2: a method, or a transfer coding, that this server knows nothing of. */
export class NotImplementedError extends ApiError {
  constructor(message: string) {
    super(501, 'NotImplemented', message);
  }
}

/** RFC 9110, section 15.6.6. */
export class VersionNotSupportedError extends ApiError {
  constructor() {
    super(505, 'VersionNotSupported', 'this server speaks HTTP/1.1 and HTTP/1.0');
  }
}

/** No keys can be had from the tenant, so no token can be verified. The caller did nothing wrong. */
export class TenantUnavailableError extends ApiError {
  constructor(retryAfterSeconds = 10, options?: ErrorOptions) {
    super(503, 'TenantUnavailable', 'the identity provider cannot be reached: try again later', {
      ...options,
      headers: { 'Retry-After': String(retryAfterSeconds) },
    });
  }
}

/** The database does not answer. The caller did nothing wrong, and may repeat the request. */
export class StoreUnavailableError extends ApiError {
  constructor(options?: ErrorOptions) {
    super(503, 'StoreUnavailable', 'the store cannot be reached: try again later', {
      ...options,
      headers: { 'Retry-After': '2' },
    });
  }
}

/** This instance cannot serve yet, or no longer. For probes: a balancer sends its requests elsewhere. */
export class NotReadyError extends ApiError {
  constructor(missing: readonly string[]) {
    super(503, 'NotReady', `not ready: ${missing.join(', ')}`, { headers: { 'Retry-After': '2' } });
  }
}
