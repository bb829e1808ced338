/** The Idempotency-Key header (IETF draft-ietf-httpapi-idempotency-key-header). Knows nothing of tasks. */
import type { Request } from 'restify';
import { BadRequestError } from '../errors.ts';

const KEY = /^[\x21-\x7E]{1,255}$/;

/** @throws {BadRequestError} when the key is malformed or came twice. */
export function readIdempotencyKey(headers: Request['headers']): string | undefined {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  // Node joins a repeated header with ", ", whose space no key may hold.
  if (typeof header !== 'string' || !KEY.test(header)) {
    throw new BadRequestError('Idempotency-Key is malformed: send 1 to 255 visible ASCII characters, once');
  }
  return header;
}
