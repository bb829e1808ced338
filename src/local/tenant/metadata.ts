import { pathOf } from './address.ts';
import { type Authority, issuerOf } from './authority.ts';
import type { SigningKey } from './state.ts';
import type { Signer } from './tokens.ts';

/**
 * What Microsoft publishes for each user flow of B2C, and for a tenant of External ID.
 *
 * @param here the origin of the request, under which the client can reach the endpoints. The issuer is always the same.
 */
export function metadataOf(authority: Authority, signer: Signer, here: string): object {
  return {
    issuer: issuerOf(authority, signer.origin),
    authorization_endpoint: here + pathOf(authority, 'authorize'),
    token_endpoint: here + pathOf(authority, 'token'),
    end_session_endpoint: here + pathOf(authority, 'logout'),
    jwks_uri: here + pathOf(authority, 'keys'),
    response_modes_supported: ['query', 'fragment', 'form_post'],
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: authority.openIdScopes,
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['none'],
    claims_supported: ['oid', 'sub', 'name', 'emails', 'tfp', 'iss', 'iat', 'exp', 'aud', 'nonce', 'auth_time'],
  };
}

/** The public half of the authority's key. */
export function keysOf(authority: Authority, signer: Signer): { keys: Partial<SigningKey>[] } {
  const { kty, kid, use, alg, n, e } = signer.keyOf(authority) as SigningKey & Record<string, string>;
  return { keys: [{ kty, kid, use, alg, n, e } as Partial<SigningKey>] };
}
