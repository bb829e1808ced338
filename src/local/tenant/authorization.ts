import type { IncomingHttpHeaders } from 'node:http';
import type { Grant } from './grants.ts';
import { CLIENT_ID, userNamed } from './identity.ts';
import { isNavigation, LOOPBACK_NAMES, mayNameUser } from './requestSource.ts';

/** What to do with a request for authorization. */
export type Decision =
  /** Nobody to send it back to: answer the person in front of the browser. */
  | { kind: 'refuse'; message: string }
  /** Send the browser back to the app with an error (RFC 6749, section 4.1.2.1). */
  | { kind: 'redirect'; location: string }
  /** Ask who signs in. */
  | { kind: 'ask' }
  | { kind: 'grant'; grant: Grant };

/** The parameter that the sign-in page adds: the name of the user who was chosen. */
export const CHOSEN_USER = 'dev_user';

/** Authorization code with PKCE, for apps on this machine; everything else is refused as B2C would. */
export function decide(query: URLSearchParams, policy: string, headers: IncomingHttpHeaders): Decision {
  if (!isNavigation(headers)) return { kind: 'refuse', message: NAVIGATION_HELP };
  const repeated = [...query.keys()].find((name, index, names) => names.indexOf(name) !== index);
  if (repeated !== undefined) return { kind: 'refuse', message: `${repeated} is there twice.` };
  const redirectUri = query.get('redirect_uri') ?? '';
  if (query.get('client_id') !== CLIENT_ID) return { kind: 'refuse', message: `client_id must be ${CLIENT_ID}.` };
  if (!isRegistered(redirectUri)) return { kind: 'refuse', message: REDIRECT_HELP };
  const problem = findProblem(query);
  if (problem !== undefined) return { kind: 'redirect', location: withError(redirectUri, query, problem) };
  const name = query.get(CHOSEN_USER)?.trim() ?? '';
  if (name === '' || !mayNameUser(headers)) return { kind: 'ask' };
  const challenge = query.get('code_challenge') ?? '';
  const scope = query.get('scope') ?? '';
  return {
    kind: 'grant',
    grant: { clientId: CLIENT_ID, redirectUri, policy, challenge, scope, user: userNamed(name) },
  };
}

const NAVIGATION_HELP = 'Signing in takes a browser window: send one here. A script (fetch) cannot do it.';

const REDIRECT_HELP =
  'redirect_uri must be a page on this machine (http://localhost, http://127.0.0.1) or an app of its own scheme.';

/** A real tenant has a list of these. Here: what cannot leave the machine (RFC 8252, section 7). */
export function isRegistered(uri: string): boolean {
  const url = URL.parse(uri);
  if (url === null || url.hash !== '' || url.username !== '') return false;
  if (['http:', 'https:'].includes(url.protocol)) return LOOPBACK_NAMES.includes(url.hostname);
  return !['javascript:', 'data:', 'blob:', 'file:', 'ftp:', 'ws:', 'wss:', 'about:'].includes(url.protocol);
}

interface Problem {
  error: string;
  description: string;
}

function findProblem(query: URLSearchParams): Problem | undefined {
  if (query.get('response_type') !== 'code') {
    return { error: 'unsupported_response_type', description: 'response_type must be code' };
  }
  if (!['query', 'fragment'].includes(query.get('response_mode') ?? 'query')) {
    return { error: 'invalid_request', description: 'response_mode must be query or fragment' };
  }
  const isChallenge = /^[A-Za-z0-9_-]{43}$/.test(query.get('code_challenge') ?? '');
  if (!isChallenge || query.get('code_challenge_method') !== 'S256') {
    return { error: 'invalid_request', description: 'PKCE is required: code_challenge and code_challenge_method=S256' };
  }
  // There is no session to be silent with.
  if (query.get('prompt') === 'none') return { error: 'login_required', description: 'the user has to sign in' };
  return undefined;
}

function withError(redirectUri: string, query: URLSearchParams, { error, description }: Problem): string {
  const answer = new URLSearchParams({ error, error_description: description });
  const state = query.get('state');
  if (state !== null) answer.set('state', state);
  return withAnswer(new URL(redirectUri), answer, query.get('response_mode')).href;
}

/** Puts the answer where the app looks for it. */
export function withAnswer(url: URL, answer: URLSearchParams, responseMode: string | null): URL {
  if (responseMode === 'fragment') url.hash = answer.toString();
  else for (const [name, value] of answer) url.searchParams.set(name, value);
  return url;
}
