/** The Idempotency-Key header (IETF draft-ietf-httpapi-idempotency-key-header). Knows nothing of tasks. */
import { createHash } from 'node:crypto';
import type { Request } from 'restify';
import { BadRequestError } from '../errors.ts';
import './request.ts';

const KEY = /^[\x21-\x7E]{1,255}$/;

/** @throws {BadRequestError} when the key is malformed or came twice. */
export function readIdempotencyKey(req: Request): string | undefined {
  const header = req.headers['idempotency-key'];
  if (header === undefined) return undefined;
  // Node joins a repeated header with ", ", whose space no key may hold.
  if (typeof header !== 'string' || !KEY.test(header)) {
    throw new BadRequestError('Idempotency-Key is malformed: send 1 to 255 visible ASCII characters, once');
  }
  return header;
}

/** Tells two requests apart: a digest of the method, the path, and the body as it came and as what it was read. */
export function requestFingerprint(req: Request): string {
  return createHash('sha256')
    .update(`${req.method ?? ''} ${req.getPath()} ${req.bodyKind ?? ''}\n`)
    .update(req.bodyBytes ?? '')
    .digest('base64url');
}
