/** What a token must be, one check per promise. The gate, its log lines and the doctor all read this list. */
import type { Clock } from '../clock.ts';
import type { Config, Policy } from '../config.ts';
import {
  isForAudience,
  isNumber,
  isOwnerId,
  isText,
  isTokenType,
  lifetimeSeconds,
  MAX_OID_LENGTH,
  secondsOf,
} from './claims.ts';
import type { KeySet } from './keySet.ts';
import { policyClaim, policyOf } from './policy.ts';
import type { Finding, Reason } from './refusal.ts';
import { show, showTime } from '../show.ts';
import type { Token } from './token.ts';

export interface Expectations {
  /** Seconds since the epoch. */
  now: number;
  clockSkewSeconds: number;
  audiences: readonly string[];
  policies: readonly Policy[];
  /** Accepted issuers; undefined when the issuer is not to be validated. */
  issuers: readonly string[] | undefined;
}

/**
 * What this configuration expects of a token now.
 *
 * @param keySet what the tenant publishes, if that is known: its issuer is accepted beside the configured ones.
 */
export function expectationsOf(config: Config, clock: Clock, keySet: KeySet | undefined): Expectations {
  const { audiences, policies, issuers, validateIssuer, clockSkewSeconds } = config;
  return {
    now: clock.now() / 1000,
    clockSkewSeconds,
    audiences,
    policies,
    issuers: validateIssuer ? [...(keySet === undefined ? [] : [keySet.issuer]), ...issuers] : undefined,
  };
}

export interface Check {
  reason: Reason;
  /** What is looked at: a claim or a member of the header. */
  subject: string;
  isMet(token: Token, expectations: Expectations): boolean;
  expected(expectations: Expectations): string;
  received(token: Token): string;
  description: string;
  cure: string;
}

/** The longest that a B2C policy lets a token live. */
const MAX_LIFETIME_SECONDS = 24 * 60 * 60;
const MAX_KID_LENGTH = 512;

const headerChecks: readonly Check[] = [
  {
    reason: 'algorithm',
    subject: 'alg',
    // Pinned here and never taken from the tenant's metadata (RFC 8725, section 3.1).
    isMet: ({ header }) => header['alg'] === 'RS256',
    expected: () => 'RS256',
    received: ({ header }) => show(header['alg']),
    description: 'the token is not signed with RS256',
    cure: 'send a token that the tenant issued; B2C signs with RS256',
  },
  {
    reason: 'critical',
    subject: 'crit',
    // RFC 7515, section 4.1.11: what is not understood must be refused, and this API understands no extension.
    isMet: ({ header }) => !Object.hasOwn(header, 'crit'),
    expected: () => 'absent',
    received: ({ header }) => show(header['crit']),
    description: 'the token uses a critical header extension that is not supported',
    cure: 'send a token that the tenant issued; B2C uses no extension',
  },
  {
    reason: 'type',
    subject: 'typ',
    isMet: ({ header }) => isTokenType(header['typ']),
    expected: () => 'JWT, at+jwt or absent',
    received: ({ header }) => show(header['typ']),
    description: 'the token is of a type that is not an access token',
    cure: 'send the access token, not a logout token or another kind',
  },
  {
    reason: 'no_kid',
    subject: 'kid',
    isMet: ({ header }) => isText(header['kid'], MAX_KID_LENGTH),
    expected: () => 'a key id',
    received: ({ header }) => show(header['kid']),
    description: 'the token does not say which key signed it: its header has no kid',
    cure: 'send a token that the tenant issued; B2C names the key in each',
  },
];

const timeChecks: readonly Check[] = [
  {
    reason: 'malformed',
    subject: 'exp, nbf',
    isMet: ({ claims }) => Number.isFinite(claims['exp']) && Number.isFinite(claims['nbf']),
    expected: () => 'finite numbers',
    received: ({ claims }) => `${show(claims['exp'])}, ${show(claims['nbf'])}`,
    description: 'the exp and nbf claims of the token must be numbers',
    cure: 'send a token that the tenant issued; B2C sets both',
  },
  {
    reason: 'expired',
    subject: 'exp',
    isMet: ({ claims }, { now, clockSkewSeconds }) => now < secondsOf(claims['exp']) + clockSkewSeconds,
    expected: ({ now, clockSkewSeconds }) => `later than ${showTime(now - clockSkewSeconds)}`,
    received: ({ claims }) => showTime(claims['exp']),
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
      !isNumber(claims['iat']) || claims['iat'] <= now + clockSkewSeconds,
    expected: ({ now, clockSkewSeconds }) => `not later than ${showTime(now + clockSkewSeconds)}`,
    received: ({ claims }) => showTime(claims['iat']),
    description: 'the token was issued in the future',
    cure: 'set the clock of this server, or raise B2C_CLOCK_SKEW',
  },
  {
    reason: 'lifetime',
    subject: 'exp',
    isMet: ({ claims }, { now }) => lifetimeSeconds(claims, now) <= MAX_LIFETIME_SECONDS,
    expected: () => 'at most 24 hours after nbf, iat and now',
    received: ({ claims }) =>
      `${showTime(claims['exp'])} (nbf ${showTime(claims['nbf'])}, iat ${showTime(claims['iat'])})`,
    description: 'the token is valid for more than 24 hours',
    cure: "lower the access token lifetime in the policy's properties; 24 hours is the most that B2C allows",
  },
];

const claimChecks: readonly Check[] = [
  {
    reason: 'audience',
    subject: 'aud',
    isMet: ({ claims }, { audiences }) => isForAudience(claims['aud'], audiences),
    expected: ({ audiences }) => audiences.join(' or '),
    received: ({ claims }) => show(claims['aud']),
    description: 'the token is for another audience',
    cure: 'ask for a scope of this API when signing in; if the API is known by another id, set B2C_CLIENT_ID or B2C_AUDIENCE',
  },
  {
    reason: 'policy',
    subject: 'tfp or acr',
    isMet: ({ claims }, { policies }) => policyOf(claims, policies) !== undefined,
    expected: ({ policies }) => policies.map(({ name }) => name).join(' or '),
    received: ({ claims }) => show(policyClaim(claims)),
    description: 'the token is from a policy that is not accepted here',
    cure: 'sign in with an accepted policy, or add this one to B2C_POLICY_NAME',
  },
  {
    reason: 'no_oid',
    subject: 'oid',
    isMet: ({ claims }) => Object.hasOwn(claims, 'oid'),
    expected: () => "the user's object id",
    received: ({ claims }) => show(claims['oid']),
    description: "the token has no oid claim: add Object ID to the policy's application claims",
    cure: "in the portal, open the user flow's Application claims and tick User's Object ID",
  },
  {
    reason: 'no_oid',
    subject: 'oid',
    isMet: ({ claims }) => !Object.hasOwn(claims, 'oid') || isOwnerId(claims['oid']),
    expected: () => `a text of 1 to ${MAX_OID_LENGTH} characters`,
    received: ({ claims }) => show(claims['oid']),
    description: 'the oid claim of the token must be a non-empty string',
    cure: "let the policy put the user's object id, and nothing else, into oid",
  },
];

/** What can be told from the token alone. Checked before the keys, so that an expired token never waits for them. */
export const tokenChecks: readonly Check[] = [...headerChecks, ...timeChecks, ...claimChecks];

/** Needs the tenant's metadata. */
export const issuerCheck: Check = {
  reason: 'issuer',
  subject: 'iss',
  isMet: ({ claims }, { issuers }) => issuers === undefined || issuers.some((issuer) => issuer === claims['iss']),
  expected: ({ issuers }) => issuers?.join(' or ') ?? 'any issuer',
  received: ({ claims }) => show(claims['iss']),
  description: 'the token is from another issuer',
  cure: 'sign in at the tenant of B2C_TENANT_NAME; for another host name of the same tenant, add its issuer to B2C_ISSUER',
};

/** Needs the tenant's keys. */
export const keyCheck = {
  reason: 'unknown_key',
  subject: 'kid',
  expected: (kids: readonly string[]) => kids.map(show).join(' or '),
  received: ({ header }: Token) => show(header['kid']),
  description: 'the token is signed by a key that the tenant does not publish',
  cure: 'get a new token from the tenant and policy that this API is configured for',
} as const;

/** Needs the key that signed. */
export const signatureCheck = {
  reason: 'signature',
  subject: 'signature',
  expected: 'made by the key that the header names',
  received: 'made by another key, or over other content',
  description: 'the signature of the token does not verify',
  cure: 'send the token exactly as the tenant issued it, whole and unchanged',
} as const;

/** What a failed check says about this token. */
export function findingOf(check: Check, token: Token, expectations: Expectations): Finding {
  const { reason, subject, description, cure } = check;
  return {
    reason,
    subject,
    expected: check.expected(expectations),
    received: check.received(token),
    description,
    cure,
  };
}
