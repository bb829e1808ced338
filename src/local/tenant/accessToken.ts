import { OAuth2Issuer } from 'oauth2-mock-server';
import type { Clock } from '../../clock.ts';
import { CLIENT_ID, LIFETIME_SECONDS, TENANT_ID, type User } from './identity.ts';
import type { TenantState } from '../state.ts';

/** What an access token is asked to say. */
export interface TokenWishes {
  readonly user: User;
  readonly policy: string;
  /** Short scope names separated by spaces; empty leaves `scp` out, as B2C does for its own client id. */
  readonly scope: string;
  /** Seconds from now; negative for a token that has already expired. */
  readonly expiresIn: number;
}

export function tenantOrigin({ port }: Pick<TenantState, 'port'>): string {
  return `https://localhost:${port}`;
}

/** The library's issuer with the kept key: whoever holds the state signs what the tenant would sign. */
export async function createIssuer(state: TenantState): Promise<OAuth2Issuer> {
  const issuer = new OAuth2Issuer();
  // As in B2C, the issuer carries the tenant's GUID where the metadata URL has its name, and ends in a slash.
  issuer.url = `${tenantOrigin(state)}/${TENANT_ID}/v2.0/`;
  await issuer.keys.add(state.signingKey);
  return issuer;
}

/** Signs an access token of B2C's shape. */
export function signAccessToken(issuer: OAuth2Issuer, wishes: TokenWishes, clock: Clock = Date): Promise<string> {
  return issuer.buildToken({
    scopesOrTransform: (_header, payload) => {
      Object.assign(payload, accessTokenClaims(wishes, clock));
    },
  });
}

/** The claims of a B2C access token, besides `iss`. */
export function accessTokenClaims(wishes: TokenWishes, clock: Clock): Record<string, unknown> {
  const now = Math.floor(clock.now() / 1000);
  const exp = now + wishes.expiresIn;
  // An expired token was good once: it is dated back, not turned around.
  const issuedAt = wishes.expiresIn > 0 ? now : exp - LIFETIME_SECONDS;
  return {
    exp,
    nbf: issuedAt,
    aud: CLIENT_ID,
    ...userClaims(wishes),
    ...(wishes.scope === '' ? {} : { scp: wishes.scope }),
    azp: CLIENT_ID,
    iat: issuedAt,
  };
}

/** What access and id tokens both say of the user. */
export function userClaims({ user, policy }: Pick<TokenWishes, 'user' | 'policy'>): Record<string, unknown> {
  return { oid: user.oid, sub: user.oid, name: user.name, tfp: policy, ver: '1.0' };
}
