import type { Request } from 'restify';
import { UnsupportedMediaTypeError } from '../errors.ts';

/** What a body is written in. */
export type BodyKind = 'json' | 'form';

const KINDS: Readonly<Record<string, BodyKind>> = {
  'application/json': 'json',
  'application/x-www-form-urlencoded': 'form',
};
// RFC 7396: a merge patch is JSON, with a name of its own.
const PATCH_KINDS: Readonly<Record<string, BodyKind>> = {
  'application/json': 'json',
  'application/merge-patch+json': 'json',
};

/**
 * What the body says it is; nothing when it does not say.
 *
 * @throws {UnsupportedMediaTypeError} for another type, a charset other than UTF-8, or a coded body.
 */
export function mediaTypeOf(req: Request): BodyKind | undefined {
  refuseCoding(req.headers['content-encoding']);
  const header = req.headers['content-type'];
  if (header === undefined || header.trim() === '') return undefined;
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  refuseCharset(parameters);
  const kinds = req.method === 'PATCH' ? PATCH_KINDS : KINDS;
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (kind === undefined) throw new UnsupportedMediaTypeError(`send ${Object.keys(kinds).join(' or ')}`);
  return kind;
}

// A few bytes of gzip can hold gigabytes.
function refuseCoding(coding: string | undefined): void {
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity') {
    throw new UnsupportedMediaTypeError('send the body without Content-Encoding');
  }
}

function refuseCharset(parameters: readonly string[]): void {
  const charsets = parameters.filter((parameter) => /^charset\s*(=|$)/.test(parameter));
  if (!charsets.every((charset) => /^charset="?utf-?8"?$/.test(charset))) {
    throw new UnsupportedMediaTypeError('send the body in UTF-8');
  }
}
