/** What a handler returns: an answer not yet sent, for HTTP or for a batch. */
import { STATUS_CODES } from 'node:http';
import type { ApiError, HeaderMap } from '../errors.ts';
import { type ConditionHeaders, isNotModified, quoteTag } from './conditional.ts';

export interface Answer {
  readonly status: number;
  readonly headers?: HeaderMap;
  /** JSON, unless `contentType` says otherwise; undefined: no body. */
  readonly body?: string;
  /** Instead of a body, one that is produced while it is sent and may be larger than memory. */
  readonly pieces?: AsyncIterator<string>;
  /** `application/json` unless given. */
  readonly contentType?: string;
  /** The opaque part of the entity tag, without quotes. */
  readonly etag?: string;
  /** The compressed body, if it never changes. */
  readonly gzip?: Buffer;
}

export const JSON_TYPE = 'application/json';

export function ok(body: object, rest: Omit<Answer, 'status' | 'body'> = {}): Answer {
  return { status: 200, body: JSON.stringify(body), ...rest };
}

export const noContent: Answer = { status: 204 };

/**
 * The answer to a GET or HEAD with these headers (RFC 9110, section 13.2.2): 304 if the client already has it.
 *
 * @throws {PreconditionFailedError} when If-Match does not hold.
 */
export function conditional(headers: ConditionHeaders, answer: Answer): Answer {
  const { status, etag } = answer;
  if (status !== 200 || etag === undefined || !isNotModified(headers, etag)) return answer;
  return { status: 304, etag, ...(answer.headers && { headers: answer.headers }) };
}

/** The headers of the answer itself, as they are without any coding. */
export function headersOf({ headers, body, contentType, etag }: Answer): Record<string, string> {
  return {
    ...(body !== undefined && { 'Content-Type': contentType ?? JSON_TYPE }),
    ...(etag !== undefined && { ETag: quoteTag(etag) }),
    ...headers,
  };
}

/** An error as in RFC 9457. `code` and `message` are restify's names, kept for the clients that know them. */
export function problemOf({ statusCode, code, message, detail }: ApiError, requestId: string): object {
  return { type: 'about:blank', title: titleOf(statusCode), status: statusCode, detail, code, message, requestId };
}

export function problemAnswer(error: ApiError, requestId: string): Answer {
  return {
    status: error.statusCode,
    headers: error.headers,
    body: JSON.stringify(problemOf(error, requestId)),
    contentType: 'application/problem+json',
  };
}

// RFC 9110 has renamed these two; Node has the old names.
const TITLES: Readonly<Record<number, string>> = { 413: 'Content Too Large', 422: 'Unprocessable Content' };

export function titleOf(status: number): string {
  return TITLES[status] ?? STATUS_CODES[status] ?? 'Error';
}
