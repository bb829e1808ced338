/** What single claims may look like. They come from outside and may be of any type. */
import { lowerCaseAscii } from '../../config/readers.ts';
import type { Tenant } from '../config.ts';
import { canonicalId, isGuid } from '../guid.ts';
import type { Claims } from './token.ts';

export const MAX_OWNER_LENGTH = 256;

/** NaN for anything but a number. Not `Number()`, which would call a claim's `toString`. */
export function secondsOf(value: unknown): number {
  return typeof value === 'number' ? value : NaN;
}

export function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxLength;
}

/**
 * One audience, or a list that contains an accepted one (RFC 7519, section 4.1.3). B2C issues a single one, other OpenID
 * issuers lists; the token is meant for each of them. A list with anything but strings is refused.
 */
export function isForAudience(aud: unknown, accepted: readonly string[]): boolean {
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return (
    audiences.every((audience) => typeof audience === 'string') &&
    audiences.some((audience) => accepted.includes(canonicalId(audience)))
  );
}

/**
 * The owner of tasks. Text that the store would change (a lone surrogate becomes U+FFFD) could turn two owners into one,
 * and a control character in an owner's id is suspicious.
 */
export function isOwnerId(id: unknown): id is string {
  return isText(id, MAX_OWNER_LENGTH) && id.isWellFormed() && id.trim() !== '' && !/\p{Cc}/u.test(id);
}

/** The value of the owner claim, if the tenant and the token have one. Null and an empty text count as absent. */
export function ownerClaimOf(claims: Claims, { ownerClaim }: Tenant): unknown {
  if (ownerClaim === undefined || !Object.hasOwn(claims, ownerClaim)) return undefined;
  const value = claims[ownerClaim];
  return value === null || value === '' ? undefined : value;
}

/** Whose tasks a verified token gives access to. */
export function ownerOf(claims: Claims, tenant: Tenant): string {
  return canonicalId(String(ownerClaimOf(claims, tenant) ?? claims['oid']));
}

/** `tfp`, or `acr` in the tokens of older policies and of custom ones without a `tfp`. */
export function policyClaim(claims: Claims): unknown {
  return Object.hasOwn(claims, 'tfp') ? claims['tfp'] : claims['acr'];
}

/** The name of a policy as it is compared. */
export function policyName(claims: Claims): string | undefined {
  const claim = policyClaim(claims);
  return typeof claim === 'string' ? lowerCaseAscii(claim) : undefined;
}

/**
 * Whether a client got the token for itself (client credentials), without a user. Entra says so in `idtyp` if configured
 * to. Otherwise such a token has neither a scope nor a policy, and either its permissions are in `roles`, or its subject
 * is the application's object: users of Entra have another `sub` for each client.
 */
export function isAppOnly(claims: Claims): boolean {
  const { idtyp, scp, roles, sub, oid, ver } = claims;
  if (idtyp === 'app') return true;
  if (scp !== undefined || policyClaim(claims) !== undefined) return false;
  return Array.isArray(roles) || (ver === '2.0' && typeof sub === 'string' && sub === oid);
}

/** Whether the tenant id of a token is the one that the issuer names: `https://…/<tenant id>/v2.0`. */
export function isTenantOf(tid: unknown, issuer: string | undefined): boolean {
  if (typeof tid !== 'string' || !isGuid(tid) || issuer === undefined) return false;
  return URL.parse(issuer)?.pathname.toLowerCase().split('/').includes(tid.toLowerCase()) === true;
}

/** Absent, as with some issuers; `JWT` (RFC 7519); `at+jwt` (RFC 9068); the latter two also as full media types. */
export function isTokenType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === 'string' && /^(application\/)?(at\+)?jwt$/i.test(typ));
}

/** From the earliest moment at which the token may have been used. NaN without numbers in `exp` and `nbf`. */
export function lifetimeSeconds({ exp, nbf, iat }: Claims, now: number): number {
  const from = Math.min(now, secondsOf(nbf), typeof iat === 'number' ? iat : Infinity);
  return secondsOf(exp) - from;
}

/** B2C puts the short names of the granted scopes into `scp`, separated by spaces. */
export function hasScope({ scp }: Claims, scope: string): boolean {
  return typeof scp === 'string' && scp.split(' ').includes(scope);
}
