import { createHash } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Clock } from '../../clock.ts';
import { type Authority, issuerOf } from './authority.ts';
import { emailOf, LIFETIME_SECONDS, OWNER_CLAIM, type User, userNamed } from './identity.ts';
import type { SigningKey, TenantState } from './state.ts';

/** What an access token is to contain. */
export interface TokenWishes {
  readonly user: User;
  readonly authority: Authority;
  /** Short scope names separated by spaces; empty leaves `scp` out, as B2C does for its own client id. */
  readonly scope: string;
  /** Seconds from now; negative for a token that has already expired. */
  readonly expiresIn: number;
  /** The person's object id in B2C, as a migration to External ID left it. */
  readonly b2cOid?: string | undefined;
}

export interface IdTokenWishes extends Pick<TokenWishes, 'user' | 'authority' | 'b2cOid'> {
  readonly nonce: string | undefined;
  /** When the user signed in, in seconds. */
  readonly authTime: number;
}

/** Signs tokens: whoever has the tenant's state can sign what the tenant would sign. */
export interface Signer {
  readonly origin: string;
  /** Each tenant has its own key. */
  keyOf(authority: Authority): SigningKey;
}

export function createSigner({ port, signingKey, externalKey }: TenantState): Signer {
  return {
    origin: tenantOrigin({ port }),
    keyOf: ({ policy }) => (policy === undefined ? externalKey : signingKey),
  };
}

export function tenantOrigin({ port }: Pick<TenantState, 'port'>): string {
  return `https://localhost:${port}`;
}

export function signAccessToken(signer: Signer, wishes: TokenWishes, clock: Clock = Date): Promise<string> {
  const { authority, scope, expiresIn } = wishes;
  const now = Math.floor(clock.now() / 1000);
  const exp = now + expiresIn;
  // An expired token was once valid: it is backdated, so that exp stays after iat.
  const iat = expiresIn > 0 ? now : exp - LIFETIME_SECONDS;
  return sign(signer, authority, {
    exp,
    nbf: iat,
    iat,
    ...userClaims(wishes),
    ...(scope === '' ? {} : { scp: scope }),
    azp: authority.clientId,
    // How the app authenticated: as a public client.
    ...(authority.policy === undefined ? { azpacr: '0' } : {}),
  });
}

export function signIdToken(signer: Signer, wishes: IdTokenWishes, clock: Clock): Promise<string> {
  const now = Math.floor(clock.now() / 1000);
  const { authority, nonce, authTime } = wishes;
  return sign(signer, authority, {
    exp: now + LIFETIME_SECONDS,
    nbf: now,
    iat: now,
    ...userClaims(wishes),
    auth_time: authTime,
    ...(nonce === undefined ? {} : { nonce }),
  });
}

function sign(signer: Signer, authority: Authority, claims: Record<string, unknown>): Promise<string> {
  const key = signer.keyOf(authority);
  return new SignJWT({ iss: issuerOf(authority, signer.origin), aud: authority.clientId, ...claims })
    .setProtectedHeader({ typ: 'JWT', alg: key.alg, kid: key.kid })
    .sign(key);
}

/** What access and id tokens both say about the user. */
function userClaims({ user, authority, b2cOid }: Pick<TokenWishes, 'user' | 'authority' | 'b2cOid'>) {
  const { oid, name } = user;
  const { policy, tenantId, clientId } = authority;
  if (policy !== undefined) return { oid, sub: oid, name, emails: [emailOf(name)], tfp: policy, ver: '1.0' };
  // Different for each application: only `oid` identifies the person.
  const sub = createHash('sha256').update(`${oid} ${clientId}`).digest('base64url');
  const moved = b2cOid === undefined ? {} : { [OWNER_CLAIM]: b2cOid };
  return { oid, sub, name, preferred_username: emailOf(name), tid: tenantId, ver: '2.0', ...moved };
}

/** Who signs in on the page; at External ID, somebody who was moved there from B2C. */
export function signedIn(name: string, authority: Authority): Pick<TokenWishes, 'user' | 'authority' | 'b2cOid'> {
  const b2cOid = authority.policy === undefined ? userNamed(name).oid : undefined;
  return { user: userNamed(name, authority.tenantId), authority, b2cOid };
}

/** How MSAL tells accounts apart. In B2C, each user flow makes an account of its own. */
export function clientInfo(name: string, { tenantId, policy }: Authority): string {
  const { oid } = userNamed(name, tenantId);
  const info = { uid: policy === undefined ? oid : `${oid}-${policy}`, utid: tenantId };
  return Buffer.from(JSON.stringify(info)).toString('base64url');
}
