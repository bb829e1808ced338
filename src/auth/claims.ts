/** What single claims may look like. Every one of them comes from outside and may be of any type. */
import type { Claims } from './token.ts';

export const MAX_OID_LENGTH = 256;

export function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

/** NaN for anything but a number. Not `Number()`, which runs what a claim calls its `toString`. */
export function secondsOf(value: unknown): number {
  return isNumber(value) ? value : NaN;
}

export function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxLength;
}

/**
 * One audience, or a list of them that contains an accepted one (RFC 7519, section 4.1.3). B2C issues a single one,
 * other OpenID issuers lists; the issuer meant the token for each of them. A list that holds anything but text is odd.
 */
export function isForAudience(aud: unknown, accepted: readonly string[]): boolean {
  if (typeof aud === 'string') return accepted.includes(aud);
  if (!Array.isArray(aud)) return false;
  const audiences: readonly unknown[] = aud;
  return (
    audiences.every((audience) => typeof audience === 'string') &&
    audiences.some((audience) => accepted.includes(audience))
  );
}

/**
 * The owner of tasks. Text that the store would not keep as it is (a lone surrogate becomes U+FFFD) could make one
 * owner out of two, and a control character in an owner's name means nothing good.
 */
export function isOwnerId(oid: unknown): oid is string {
  return isText(oid, MAX_OID_LENGTH) && oid.isWellFormed() && oid.trim() !== '' && !/\p{Cc}/u.test(oid);
}

/** Absent, as some issuers leave it; `JWT` (RFC 7519); `at+jwt` (RFC 9068); both also as whole media types. */
export function isTokenType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === 'string' && /^(application\/)?(at\+)?jwt$/i.test(typ));
}

/** From the earliest moment at which the token can have been of use. NaN without numbers in `exp` and `nbf`. */
export function lifetimeSeconds({ exp, nbf, iat }: Claims, now: number): number {
  const from = Math.min(now, secondsOf(nbf), isNumber(iat) ? iat : Infinity);
  return secondsOf(exp) - from;
}
