/** What a token must be, one check per promise. The gate, its log lines and the doctor all read these lists. */
import type { Tenant } from '../config.ts';
import { show, showDuration, showTime } from '../show.ts';
import {
  isAppOnly,
  isForAudience,
  isNumber,
  isOwnerId,
  isTenantOf,
  isText,
  isTokenType,
  lifetimeSeconds,
  MAX_OWNER_LENGTH,
  ownerClaimOf,
  policyClaim,
  policyName,
  secondsOf,
} from './claims.ts';
import { TokenRefusedError, type Finding, type Reason } from './refusal.ts';
import type { Token } from './token.ts';

/** What a token is held against. */
export interface Expectations {
  /** The tenant that judges it. */
  tenant: Tenant;
  /** What the metadata of that tenant and the token's policy names, if that is known. */
  issuer: string | undefined;
  /** Seconds since the epoch. */
  now: number;
  clockSkewSeconds: number;
}

export interface Check {
  reason: Reason;
  /** What is looked at: a claim or a member of the header. */
  subject: string;
  isMet(token: Token, expectations: Expectations): boolean;
  expected(expectations: Expectations): string;
  received(token: Token, expectations: Expectations): string;
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
    received: ({ claims }, { now }) =>
      `${showTime(claims['exp'])}, ${showDuration(now - secondsOf(claims['exp']))} ago`,
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
    isMet: ({ claims }, { now, clockSkewSeconds }) =>
      lifetimeSeconds(claims, now) <= MAX_LIFETIME_SECONDS + clockSkewSeconds,
    expected: ({ clockSkewSeconds }) => `at most 24 hours and ${clockSkewSeconds} s after nbf, iat and now`,
    received: ({ claims }) =>
      `${showTime(claims['exp'])} (nbf ${showTime(claims['nbf'])}, iat ${showTime(claims['iat'])})`,
    description: 'the token is valid for more than 24 hours',
    cure: "lower the access token lifetime in the policy's properties; 24 hours is the most that B2C allows",
  },
];

const audience: Check = {
  reason: 'audience',
  subject: 'aud',
  isMet: ({ claims }, { tenant }) => isForAudience(claims['aud'], tenant.audiences),
  expected: ({ tenant }) => tenant.audiences.join(' or '),
  received: ({ claims }) => show(claims['aud']),
  description: 'the token is for another audience',
  cure: 'ask for a scope of this API when signing in; if the API is known by another id, set B2C_CLIENT_ID or B2C_AUDIENCE',
};

const appOnly: Check = {
  reason: 'app_only',
  subject: 'roles, idtyp',
  isMet: ({ claims }) => !isAppOnly(claims),
  expected: () => 'the token of a user: with scp, without roles alone',
  received: ({ claims }) =>
    `roles ${show(claims['roles'])}, idtyp ${show(claims['idtyp'])}, scp ${show(claims['scp'])}`,
  description: 'the token was issued to an application, not to a user: sign a user in and send the token from that',
  cure: 'use the authorization code flow in the client; tokens from client credentials open no tasks, since nobody owns them',
};

const policy: Check = {
  reason: 'policy',
  subject: 'tfp or acr',
  isMet: ({ claims }, { tenant }) => {
    const name = policyName(claims);
    return tenant.policies.some((accepted) => accepted.name === '' || accepted.name === name);
  },
  expected: ({ tenant }) => tenant.policies.map(({ name }) => name).join(' or '),
  received: ({ claims }) => show(policyClaim(claims)),
  description: 'the token is from a policy that is not accepted here',
  cure: 'sign in with an accepted policy, or add this one to B2C_POLICY_NAME',
};

const hasObjectId: Check = {
  reason: 'no_oid',
  subject: 'oid',
  isMet: ({ claims }) => Object.hasOwn(claims, 'oid'),
  expected: () => "the user's object id",
  received: ({ claims }) => show(claims['oid']),
  description: "the token has no oid claim: add Object ID to the policy's application claims",
  cure: "in the portal, open the user flow's Application claims and tick User's Object ID",
};

const isObjectId: Check = {
  reason: 'no_oid',
  subject: 'oid',
  isMet: ({ claims }) => !Object.hasOwn(claims, 'oid') || isOwnerId(claims['oid']),
  expected: () => `a text of 1 to ${MAX_OWNER_LENGTH} characters`,
  received: ({ claims }) => show(claims['oid']),
  description: 'the oid claim of the token must be a non-empty string',
  cure: "let the policy put the user's object id, and nothing else, into oid",
};

const owner: Check = {
  reason: 'owner',
  subject: 'owner claim',
  isMet: ({ claims }, { tenant }) => {
    const value = ownerClaimOf(claims, tenant);
    return value === undefined || isOwnerId(value);
  },
  expected: ({ tenant }) => `${tenant.ownerClaim} absent, or a text of 1 to ${MAX_OWNER_LENGTH} characters`,
  received: ({ claims }, { tenant }) => show(ownerClaimOf(claims, tenant)),
  description: 'the claim that names the owner must be a non-empty string',
  cure: 'let the claim of EXTERNAL_ID_OWNER_CLAIM carry the object id that the user had in B2C, and nothing else',
};

/**
 * What can be told from the token alone, by the tenant that judges it. Checked before the keys, so that an expired
 * token never waits for them.
 */
export const tokenChecks: Readonly<Record<Tenant['kind'], readonly Check[]>> = {
  b2c: [...headerChecks, ...timeChecks, audience, appOnly, policy, hasObjectId, isObjectId],
  'external-id': [
    ...headerChecks,
    ...timeChecks,
    { ...audience, cure: 'ask for a scope of this API when signing in, or add the id to EXTERNAL_ID_CLIENT_ID' },
    appOnly,
    {
      ...hasObjectId,
      description: 'the token has no oid claim: ask for the scope openid too when signing in',
      cure: 'External ID puts oid into every access token of a user: send that',
    },
    isObjectId,
    owner,
  ],
};

const issuer: Check = {
  reason: 'issuer',
  subject: 'iss',
  isMet: ({ claims }, { tenant, issuer }) =>
    !tenant.validateIssuer || claims['iss'] === issuer || tenant.issuers.some((accepted) => accepted === claims['iss']),
  expected: ({ tenant, issuer }) =>
    tenant.validateIssuer ? [...(issuer === undefined ? [] : [issuer]), ...tenant.issuers].join(' or ') : 'any issuer',
  received: ({ claims }) => show(claims['iss']),
  description: 'the token is from another issuer',
  cure: 'sign in at the tenant of B2C_TENANT_NAME; for another host name of the same tenant, add its issuer to B2C_ISSUER',
};

const tenantId: Check = {
  reason: 'issuer',
  subject: 'tid',
  isMet: ({ claims }, { issuer }) => isTenantOf(claims['tid'], issuer),
  expected: ({ issuer }) => `the tenant id in ${issuer ?? 'the issuer'}`,
  received: ({ claims }) => show(claims['tid']),
  description: 'the token is from another tenant',
  cure: 'sign in at the tenant of EXTERNAL_ID_METADATA',
};

/** What needs the tenant's metadata. */
export const issuerChecks: Readonly<Record<Tenant['kind'], readonly Check[]>> = {
  b2c: [issuer],
  'external-id': [{ ...issuer, cure: 'sign in at the tenant of EXTERNAL_ID_METADATA' }, tenantId],
};

/** What time and the tenant can change about a token that was good. */
export const laterChecks: typeof issuerChecks = {
  b2c: [...timeChecks, ...issuerChecks.b2c],
  'external-id': [...timeChecks, ...issuerChecks['external-id']],
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

/** Whether a token meets all the checks. In order of cost, and up to the first that it does not. */
export function meetsAll(checks: readonly Check[], token: Token, expectations: Expectations): boolean {
  return checks.every((check) => check.isMet(token, expectations));
}

/** The refusal for the checks that a token does not meet, which is at least one. */
export function refusalFor(checks: readonly Check[], token: Token, expectations: Expectations): TokenRefusedError {
  const first = checks.find((check) => !check.isMet(token, expectations));
  if (first === undefined) throw new Error('a token is only refused for a reason');
  return new TokenRefusedError(first, () => [
    findingOf(first, token, expectations),
    ...checks
      .slice(checks.indexOf(first) + 1)
      .filter((check) => !check.isMet(token, expectations))
      .map((check) => findingOf(check, token, expectations)),
  ]);
}

/** What a check says about this token. */
export function findingOf(check: Check, token: Token, expectations: Expectations): Finding {
  const { reason, subject, description, cure } = check;
  return {
    reason,
    subject,
    expected: check.expected(expectations),
    received: check.received(token, expectations),
    description,
    cure,
  };
}
