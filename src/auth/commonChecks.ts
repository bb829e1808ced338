/** The checks of header and times, which are the same for every tenant. */
import type { Tenant } from '../config.ts';
import { show, showFromNow, showTime } from '../show.ts';
import { isText, isTokenType, lifetimeSeconds, secondsOf } from './claims.ts';
import type { Reason } from './refusal.ts';
import type { Token } from './token.ts';

/** What a token is checked against. */
export interface Expectations {
  /** The tenant that judges it. */
  tenant: Tenant;
  /** The issuer in the metadata of that tenant and the token's policy, if known. */
  issuer: string | undefined;
  /** Seconds since the epoch. */
  now: number;
  clockSkewSeconds: number;
}

export interface Check {
  reason: Reason;
  /** What is checked: a claim or a member of the header. */
  subject: string;
  isMet(token: Token, expectations: Expectations): boolean;
  expected: string | ((expectations: Expectations) => string);
  /** The received value; by default the claim that the subject names. */
  received?(token: Token, expectations: Expectations): string;
  description: string;
  cure: string;
}

/** The longest lifetime that a B2C policy allows. */
const MAX_LIFETIME_SECONDS = 24 * 60 * 60;
const MAX_KID_LENGTH = 512;

export const headerChecks: readonly Check[] = [
  {
    reason: 'algorithm',
    subject: 'alg',
    // Pinned here and never taken from the tenant's metadata (RFC 8725, section 3.1).
    isMet: ({ header }) => header['alg'] === 'RS256',
    expected: 'RS256',
    received: ({ header }) => show(header['alg']),
    description: 'the token is not signed with RS256',
    cure: 'send a token that the tenant issued; B2C signs with RS256',
  },
  {
    reason: 'critical',
    subject: 'crit',
    // RFC 7515, section 4.1.11: unknown extensions must be refused, and this API knows none.
    isMet: ({ header }) => !Object.hasOwn(header, 'crit'),
    expected: 'absent',
    received: ({ header }) => show(header['crit']),
    description: 'the token uses a critical header extension that is not supported',
    cure: 'send a token that the tenant issued; B2C uses no extension',
  },
  {
    reason: 'type',
    subject: 'typ',
    isMet: ({ header }) => isTokenType(header['typ']),
    expected: 'JWT, at+jwt or absent',
    received: ({ header }) => show(header['typ']),
    description: 'the token is not an access token',
    cure: 'send the access token, not a logout token or another kind',
  },
  {
    reason: 'no_kid',
    subject: 'kid',
    isMet: ({ header }) => isText(header['kid'], MAX_KID_LENGTH),
    expected: 'a key id',
    received: ({ header }) => show(header['kid']),
    description: 'the token does not say which key signed it: its header has no kid',
    cure: 'send a token that the tenant issued; B2C names the key in every token',
  },
];

export const timeChecks: readonly Check[] = [
  {
    reason: 'malformed',
    subject: 'exp, nbf',
    isMet: ({ claims }) => Number.isFinite(claims['exp']) && Number.isFinite(claims['nbf']),
    expected: 'finite numbers',
    received: ({ claims }) => `${show(claims['exp'])}, ${show(claims['nbf'])}`,
    description: 'the exp and nbf claims of the token must be numbers',
    cure: 'send a token that the tenant issued; B2C sets both',
  },
  {
    reason: 'expired',
    subject: 'exp',
    isMet: ({ claims }, { now, clockSkewSeconds }) => now < secondsOf(claims['exp']) + clockSkewSeconds,
    expected: ({ now, clockSkewSeconds }) => `later than ${showTime(now - clockSkewSeconds)}`,
    received: ({ claims }, { now }) => `${showTime(claims['exp'])}, ${showFromNow(secondsOf(claims['exp']) - now)}`,
    description: 'the token has expired',
    cure: 'get a new token from the tenant; if the token is fresh, set the clock of this server',
  },
  {
    reason: 'not_yet_valid',
    subject: 'nbf',
    isMet: ({ claims }, { now, clockSkewSeconds }) => secondsOf(claims['nbf']) <= now + clockSkewSeconds,
    expected: ({ now, clockSkewSeconds }) => `not later than ${showTime(now + clockSkewSeconds)}`,
    received: ({ claims }) => showTime(claims['nbf']),
    description: 'the token is not valid yet',
    cure: 'set the clock of this server, or raise B2C_CLOCK_SKEW',
  },
  {
    reason: 'not_yet_valid',
    subject: 'iat',
    isMet: ({ claims }, { now, clockSkewSeconds }) =>
      typeof claims['iat'] !== 'number' || claims['iat'] <= now + clockSkewSeconds,
    expected: ({ now, clockSkewSeconds }) => `not later than ${showTime(now + clockSkewSeconds)}`,
    received: ({ claims }) => showTime(claims['iat']),
    description: 'the token was issued in the future',
    cure: 'set the clock of this server, or raise B2C_CLOCK_SKEW',
  },
  {
    reason: 'lifetime',
    subject: 'exp',
    isMet: ({ claims }, { now, clockSkewSeconds }) =>
      lifetimeSeconds(claims, now) <= MAX_LIFETIME_SECONDS + clockSkewSeconds,
    expected: ({ clockSkewSeconds }) => `at most 24 hours and ${clockSkewSeconds} s after nbf, iat and now`,
    received: ({ claims }) =>
      `${showTime(claims['exp'])} (nbf ${showTime(claims['nbf'])}, iat ${showTime(claims['iat'])})`,
    description: 'the token is valid for more than 24 hours',
    cure: "lower the access token lifetime in the policy's properties; 24 hours is the most that B2C allows",
  },
];
