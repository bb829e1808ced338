/** What a token must be, one check per promise. The gate, its log lines and the doctor all use these lists. */
import type { Tenant } from '../config.ts';
import { show } from '../show.ts';
import {
  isAppOnly,
  isForAudience,
  isOwnerId,
  isTenantOf,
  MAX_OWNER_LENGTH,
  ownerClaimOf,
  policyClaim,
  policyName,
} from './claims.ts';
import { type Check, type Expectations, headerChecks, timeChecks } from './commonChecks.ts';
import { type Finding, TokenRefusedError } from './refusal.ts';
import type { Token } from './token.ts';

const audience: Check = {
  reason: 'audience',
  subject: 'aud',
  isMet: ({ claims }, { tenant }) => isForAudience(claims['aud'], tenant.audiences),
  expected: ({ tenant }) => tenant.audiences.join(' or '),
  description: 'the token is for another audience',
  cure: 'ask for a scope of this API when signing in; if the API is known by another id, set B2C_CLIENT_ID or B2C_AUDIENCE',
};

const appOnly: Check = {
  reason: 'app_only',
  subject: 'roles, idtyp',
  isMet: ({ claims }) => !isAppOnly(claims),
  expected: "a user's token: with scp, not with roles alone",
  received: ({ claims }) =>
    `roles ${show(claims['roles'])}, idtyp ${show(claims['idtyp'])}, scp ${show(claims['scp'])}`,
  description: 'the token was issued to an application, not to a user: sign a user in and send their token',
  cure: 'use the authorization code flow in the client; a client credentials token has no user, so no tasks belong to it',
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
  expected: "the user's object id",
  description: "the token has no oid claim: add Object ID to the policy's application claims",
  cure: "in the portal, open the user flow's Application claims and tick User's Object ID",
};

const isObjectId: Check = {
  reason: 'no_oid',
  subject: 'oid',
  isMet: ({ claims }) => !Object.hasOwn(claims, 'oid') || isOwnerId(claims['oid']),
  expected: `a string of 1 to ${MAX_OWNER_LENGTH} characters`,
  description: 'the oid claim of the token must be a non-empty string',
  cure: "have the policy put the user's object id, and nothing else, into oid",
};

const owner: Check = {
  reason: 'owner',
  subject: 'owner claim',
  isMet: ({ claims }, { tenant }) => {
    const value = ownerClaimOf(claims, tenant);
    return value === undefined || isOwnerId(value);
  },
  expected: ({ tenant }) => `${tenant.ownerClaim} absent, or a string of 1 to ${MAX_OWNER_LENGTH} characters`,
  received: ({ claims }, { tenant }) => show(ownerClaimOf(claims, tenant)),
  description: 'the claim that names the owner must be a non-empty string',
  cure: "have the claim named by EXTERNAL_ID_OWNER_CLAIM carry the user's B2C object id, and nothing else",
};

/**
 * Checks that need only the token, by the tenant that judges it. They run before the keys are fetched, so that an expired
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
      description: 'the token has no oid claim: also ask for the scope openid when signing in',
      cure: "External ID puts oid into every user's access token: send that token",
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
  description: 'the token is from another issuer',
  cure: 'sign in at the tenant of B2C_TENANT_NAME; for another host name of the same tenant, add its issuer to B2C_ISSUER',
};

const tenantId: Check = {
  reason: 'issuer',
  subject: 'tid',
  isMet: ({ claims }, { issuer }) => isTenantOf(claims['tid'], issuer),
  expected: ({ issuer }) => `the tenant id in ${issuer ?? 'the issuer'}`,
  description: 'the token is from another tenant',
  cure: 'sign in at the tenant of EXTERNAL_ID_METADATA',
};

/** What needs the tenant's metadata. */
export const issuerChecks: Readonly<Record<Tenant['kind'], readonly Check[]>> = {
  b2c: [issuer],
  'external-id': [{ ...issuer, cure: 'sign in at the tenant of EXTERNAL_ID_METADATA' }, tenantId],
};

/** What time and the tenant can change about a token that was valid. */
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
  received: 'made by another key, or for other content',
  description: 'the signature of the token does not verify',
  cure: 'send the token exactly as the tenant issued it, whole and unchanged',
} as const;

/**
 * The refusal of a token that fails any of the checks, which are in order of cost; undefined if it passes all.
 *
 * @param more checks to report as well if the token is refused
 */
export function refusalOf(
  checks: readonly Check[],
  token: Token,
  expectations: Expectations,
  more: readonly Check[] = [],
): TokenRefusedError | undefined {
  const first = checks.find((check) => !check.isMet(token, expectations));
  if (first === undefined) return undefined;
  return new TokenRefusedError(first, () => [
    findingOf(first, token, expectations),
    ...[...checks, ...more]
      .filter((check) => check !== first && !check.isMet(token, expectations))
      .map((check) => findingOf(check, token, expectations)),
  ]);
}

/** What a check finds in this token. */
export function findingOf(check: Check, token: Token, expectations: Expectations): Finding {
  const { reason, subject, expected, description, cure } = check;
  return {
    reason,
    subject,
    expected: typeof expected === 'string' ? expected : expected(expectations),
    received: check.received?.(token, expectations) ?? show(token.claims[subject]),
    description,
    cure,
  };
}
