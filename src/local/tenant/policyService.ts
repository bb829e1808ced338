/** One policy's part of the tenant: the mock server library, made to speak like B2C and to refuse what B2C refuses. */
import { Readable } from 'node:stream';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Events, OAuth2Service, type MutableResponse, type MutableToken, type OAuth2Issuer } from 'oauth2-mock-server';
import type { Clock } from '../../clock.ts';
import { accessTokenClaims, userClaims } from './accessToken.ts';
import { pathOf } from '../address.ts';
import { withAnswer } from './authorization.ts';
import type { Grant, Grants } from './grants.ts';
import { LIFETIME_SECONDS } from './identity.ts';
import { grantedScope } from './tokenRequest.ts';

export interface PolicyService {
  /** Answers a request whose path is in the form of `pathOf`. */
  readonly handle: RequestListener;
  /** Lets the library make a code, and remembers what it was made for. */
  authorize: (grant: Grant, ...request: Parameters<RequestListener>) => void;
  /** Lets the library answer a token request that has been found good. */
  issue: (grant: Grant, form: URLSearchParams, ...request: Parameters<RequestListener>) => void;
}

interface Parts {
  issuer: OAuth2Issuer;
  origin: string;
  policy: string;
  grants: Grants;
  clock: Clock;
}

export function createPolicyService({ issuer, origin, policy, grants, clock }: Parts): PolicyService {
  const service = new OAuth2Service(issuer, libraryPaths(policy));
  const granted = new WeakMap<IncomingMessage, Grant>();

  service.on(Events.BeforeWellKnownOpenIdConfiguration, (response: MutableResponse) => {
    response.body = metadata(issuer.url ?? '', origin, policy);
  });
  service.on(Events.BeforeAuthorizeRedirect, ({ url }: { url: URL }, req: IncomingMessage) => {
    const grant = granted.get(req);
    if (grant === undefined) throw new Error('a code was made without a decision');
    grants.rememberCode(url.searchParams.get('code') ?? '', grant);
    moveAnswer(url, new URL(req.url ?? '', origin).searchParams.get('response_mode'));
  });
  service.on(Events.BeforeTokenSigning, (token: MutableToken, req: IncomingMessage) => {
    const grant = granted.get(req);
    if (grant === undefined) throw new Error('a token was made without a grant');
    completeToken(token, grant, clock);
  });
  service.on(Events.BeforeResponse, ({ body }: MutableResponse, req: IncomingMessage) => {
    const grant = granted.get(req);
    if (grant === undefined || body === '') return;
    Object.assign(body, { scope: grant.scope, refresh_token: grants.issueRefreshToken(grant) });
  });

  return {
    handle: service.requestHandler,
    authorize: (grant, req, res) => {
      granted.set(req, grant);
      service.requestHandler(req, withoutCors(res));
    },
    issue: (grant, form, req, res) => {
      const replayed = replay(req, form);
      granted.set(replayed, grant);
      service.requestHandler(replayed, res);
    },
  };
}

function libraryPaths(policy: string): ConstructorParameters<typeof OAuth2Service>[1] {
  return {
    wellKnownDocument: pathOf(policy, 'metadata'),
    jwks: pathOf(policy, 'keys'),
    authorize: pathOf(policy, 'authorize'),
    token: pathOf(policy, 'token'),
    endSession: pathOf(policy, 'logout'),
  };
}

/** What B2C publishes for each user flow. */
function metadata(issuer: string, origin: string, policy: string): Record<string, unknown> {
  return {
    issuer,
    authorization_endpoint: `${origin}${pathOf(policy, 'authorize')}`,
    token_endpoint: `${origin}${pathOf(policy, 'token')}`,
    end_session_endpoint: `${origin}${pathOf(policy, 'logout')}`,
    jwks_uri: `${origin}${pathOf(policy, 'keys')}`,
    response_modes_supported: ['query', 'fragment'],
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: ['openid', 'profile', 'offline_access'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['none'],
    claims_supported: ['oid', 'sub', 'name', 'tfp', 'iss', 'iat', 'exp', 'aud', 'nonce', 'auth_time'],
  };
}

function completeToken({ payload }: MutableToken, grant: Grant, clock: Clock): void {
  const { user, policy } = grant;
  // The library calls this for access and id tokens alike. Only an id token has its audience already: leave it alone.
  if ('aud' in payload) {
    Object.assign(payload, userClaims({ user, policy }), { auth_time: payload.iat });
    return;
  }
  delete payload['amr'];
  delete payload['scope'];
  const scope = grantedScope(grant);
  Object.assign(payload, accessTokenClaims({ user, policy, scope, expiresIn: LIFETIME_SECONDS }, clock));
}

/** The library answers in the query; pages built with MSAL ask for the fragment. */
function moveAnswer(url: URL, responseMode: string | null): void {
  const answer = new URLSearchParams();
  for (const name of ['code', 'state']) {
    const value = url.searchParams.get(name);
    if (value !== null) answer.set(name, value);
    url.searchParams.delete(name);
  }
  withAnswer(url, answer, responseMode);
}

/** The library lets pages of every origin read all that it answers; where a code went is for the window alone. */
function withoutCors(res: ServerResponse): ServerResponse {
  const setHeader = res.setHeader.bind(res);
  res.setHeader = (name, value) => (/^access-control-/i.test(name) ? res : setHeader(name, value));
  return res;
}

/** The same request again, for a reader that comes after the body has been read. */
function replay(req: IncomingMessage, form: URLSearchParams): IncomingMessage {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const stream = Readable.from([Buffer.from(form.toString())]);
  return Object.assign(stream, { method: req.method, url: req.url, headers }) as unknown as IncomingMessage;
}
