import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { type Authority, readScopes } from './authority.ts';
import { LIFETIME_SECONDS } from './identity.ts';
import { refusal } from './refusal.ts';
import { type CodeGrant, type Grant, LIFETIMES_SECONDS, type Tickets } from './tickets.ts';
import { clientInfo, signAccessToken, signedIn, type Signer, signIdToken } from './tokens.ts';

interface Parts {
  signer: Signer;
  tickets: Tickets;
  clock: Clock;
}

/**
 * Answers a token request (RFC 6749, section 5.1) with what its scopes name: an access token for a scope of the API, an id
 * token for `openid`, a refresh token for `offline_access`.
 *
 * @throws {RefusedError} for an invented or used code, a redirect_uri or client that the code was not made for, or
 *   a verifier that is missing or does not match the challenge.
 */
export async function redeem(authority: Authority, form: URLSearchParams, parts: Parts): Promise<object> {
  const grant = await findGrant(authority, form, parts.tickets);
  // As in B2C, an app may ask for scopes that it did not sign in with: the tenant has granted it all of them.
  const scopes = readScopes(authority, form.get('scope') ?? grant.scope);
  if ('unknown' in scopes) throw refusal('AADB2C90117', scopes.unknown);
  if ('isEmpty' in scopes) throw refusal('AADB2C90115');
  const { signer, tickets, clock } = parts;
  const who = signedIn(grant.name, authority);
  const now = Math.floor(clock.now() / 1000);
  const answer: Record<string, string | number> = { token_type: 'Bearer', not_before: now, scope: scopes.asked };
  if (scopes.ofApi !== undefined) {
    const wishes = { ...who, scope: scopes.ofApi, expiresIn: LIFETIME_SECONDS };
    answer['access_token'] = await signAccessToken(signer, wishes, clock);
    answer['expires_in'] = LIFETIME_SECONDS;
    answer['expires_on'] = now + LIFETIME_SECONDS;
    answer['resource'] = authority.clientId;
  }
  if (scopes.openId) {
    answer['id_token'] = await signIdToken(signer, { ...who, nonce: nonceOf(grant), authTime: grant.authTime }, clock);
    answer['id_token_expires_in'] = LIFETIME_SECONDS;
  }
  if (scopes.offline) {
    const { name, authTime, authority: path, scope } = grant;
    answer['refresh_token'] = await tickets.issue('refresh_token', { name, authTime, authority: path, scope });
    answer['refresh_token_expires_in'] = LIFETIMES_SECONDS.refresh_token;
  }
  if (form.get('client_info') === '1') answer['client_info'] = clientInfo(grant.name, authority);
  return answer;
}

async function findGrant(authority: Authority, form: URLSearchParams, tickets: Tickets): Promise<CodeGrant | Grant> {
  const type = form.get('grant_type') ?? '';
  if (type === 'refresh_token') {
    return checkOwner(await tickets.redeem('refresh_token', form.get('refresh_token') ?? ''), authority, form);
  }
  if (type !== 'authorization_code') throw refusal('AADB2C90086', type);
  const grant = checkOwner(await tickets.redeem('code', form.get('code') ?? ''), authority, form);
  if (form.get('redirect_uri') !== grant.redirectUri) throw refusal('AADB2C90088');
  if (!matchesChallenge(form.get('code_verifier') ?? '', grant.challenge)) throw refusal('AADB2C90183');
  return grant;
}

function checkOwner<T extends Grant>(grant: T | undefined, authority: Authority, form: URLSearchParams): T {
  if (grant === undefined) throw refusal('AADB2C90080');
  const clientId = form.get('client_id') ?? '';
  if (clientId !== authority.clientId) throw refusal('AADB2C90279', clientId);
  if (grant.authority !== authority.path) throw refusal('AADB2C90088');
  return grant;
}

/** RFC 7636, section 4.6, for S256. */
function matchesChallenge(verifier: string, challenge: string): boolean {
  return (
    /^[A-Za-z0-9\-._~]{43,128}$/.test(verifier) &&
    createHash('sha256').update(verifier).digest('base64url') === challenge
  );
}

function nonceOf(grant: CodeGrant | Grant): string | undefined {
  return 'nonce' in grant ? grant.nonce : undefined;
}
