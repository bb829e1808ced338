import { matchesChallenge, type Grant, type Grants } from './grants.ts';

/** A refused token request (RFC 6749, section 5.2). */
export class TokenRefusedError extends Error {
  readonly error: string;

  constructor(error: string, description: string) {
    super(description);
    this.error = error;
  }
}

/**
 * Finds what a token request may have. The library would answer any code, with or without a verifier.
 *
 * @throws {TokenRefusedError} for an invented or used code, another redirect_uri or client than the code was made for, or
 *   a verifier that is missing or does not match the challenge.
 */
export function redeem(form: URLSearchParams, policy: string, grants: Grants): Grant {
  const type = form.get('grant_type');
  if (type === 'refresh_token') return takeGrant(form, 'refresh_token', policy, grants);
  if (type !== 'authorization_code') {
    throw new TokenRefusedError('unsupported_grant_type', 'grant_type must be authorization_code or refresh_token');
  }
  const grant = takeGrant(form, 'code', policy, grants);
  if (form.get('redirect_uri') !== grant.redirectUri) {
    throw new TokenRefusedError('invalid_grant', 'redirect_uri is not the one that the code was sent to');
  }
  if (!matchesChallenge(form.get('code_verifier') ?? '', grant.challenge)) {
    throw new TokenRefusedError('invalid_grant', 'code_verifier is missing or does not match the code_challenge');
  }
  return grant;
}

function takeGrant(form: URLSearchParams, name: 'code' | 'refresh_token', policy: string, grants: Grants): Grant {
  const grant = grants.take(form.get(name) ?? '');
  if (grant === undefined) throw new TokenRefusedError('invalid_grant', `the ${name} is unknown, used or expired`);
  if (form.get('client_id') !== grant.clientId || policy !== grant.policy) {
    throw new TokenRefusedError('invalid_grant', `the ${name} was issued to another client or by another policy`);
  }
  return grant;
}

const OPENID_SCOPES = ['openid', 'profile', 'email', 'offline_access'];

/** `scp`: the short names of the API's scopes. The client id as a scope asks for a token without any. */
export function grantedScope({ scope, clientId }: Pick<Grant, 'scope' | 'clientId'>): string {
  const asked = scope.split(' ').filter((name) => name !== '' && name !== clientId && !OPENID_SCOPES.includes(name));
  return [...new Set(asked.map((name) => name.slice(name.lastIndexOf('/') + 1)))].filter(Boolean).join(' ');
}
