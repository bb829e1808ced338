/** Which tenant judges a token, with the keys of which policy. */
import type { Policy, Tenant } from '../config.ts';
import { policyName } from './claims.ts';
import type { KeySet } from './keySet.ts';
import type { Claims } from './token.ts';

export interface Judge {
  readonly tenant: Tenant;
  /** Undefined if the token is from no policy that is configured for the tenant. */
  readonly policy: Policy | undefined;
}

/** What a policy's metadata URL published, as far as it is known. */
type Published = (policy: Policy) => KeySet | undefined;

/**
 * The claims are read before the signature is verified, because they decide which keys may have signed. A lie leads to
 * keys, an issuer and an audience that do not match: only the tenant chosen here judges the token.
 */
export function judgeOf(claims: Claims, tenants: readonly Tenant[], published: Published): Judge {
  const tenant = tenantOf(claims, tenants, published);
  const [first] = tenant.policies;
  // A plain OpenID issuer and External ID have no policies.
  if (first?.name === '') return { tenant, policy: first };
  const name = policyName(claims);
  return { tenant, policy: tenant.policies.find((policy) => policy.name === name) };
}

function tenantOf(claims: Claims, tenants: readonly Tenant[], published: Published): Tenant {
  const [first, ...others] = tenants;
  if (first === undefined) throw new Error('a configuration has a tenant');
  if (others.length === 0) return first;
  // External ID comes last; no other tenant shares its one issuer.
  const byIssuer = tenants.findLast((tenant) =>
    issuersOf(tenant, published).some((issuer) => issuer === claims['iss']),
  );
  if (byIssuer !== undefined) return byIssuer;
  // An unknown issuer. Until External ID's issuer is known, a token without a policy may be from there: it waits for those
  // keys, or is told that they cannot be fetched.
  const silent = others.find((tenant) => issuersOf(tenant, published).length === 0);
  return silent !== undefined && policyName(claims) === undefined ? silent : first;
}

function issuersOf({ issuers, policies }: Tenant, published: Published): string[] {
  return [...issuers, ...policies.flatMap((policy) => published(policy)?.issuer ?? [])];
}
