import type { IncomingHttpHeaders } from 'node:http';
import { type Authority, readScopes } from './authority.ts';
import { refusal, type RefusedError } from './refusal.ts';
import { isNavigation, isRegistered, mayNameUser } from './requestSource.ts';
import type { CodeGrant, Session } from './tickets.ts';

/** What to do with a request for authorization. */
export type Decision =
  /** Nowhere to send it back to: tell the person at the browser. */
  | { kind: 'refuse'; message: string }
  /** Send the browser back to the app with an error (RFC 6749, section 4.1.2.1). */
  | { kind: 'return'; refused: RefusedError }
  /** Ask who signs in. */
  | { kind: 'ask' }
  /** `isNew` if somebody has just signed in, rather than having a session. */
  | { kind: 'grant'; grant: CodeGrant; isNew: boolean };

/** What the sign-in page adds: the name of the chosen user, or the other button that was pressed. */
export const CHOSEN_USER = 'dev_user';
export const CHOSEN_EXIT = 'dev_exit';

/** Ways to leave the sign-in page without signing in, and what B2C then tells the app. */
export const EXITS = { cancel: 'AADB2C90091', forgot: 'AADB2C90118' } as const;

interface Asked {
  authority: Authority;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Who has already signed in in this browser. */
  session: Session | undefined;
  /** Milliseconds. */
  now: number;
}

/** Authorization code with PKCE, for apps on this machine; everything else is refused as Microsoft would. */
export function decide({ authority, query, headers, session, now }: Asked): Decision {
  const unfit = findUnfit(authority, query, headers);
  if (unfit !== undefined) return { kind: 'refuse', message: unfit };
  const refused = findProblem(authority, query);
  if (refused !== undefined) return { kind: 'return', refused };
  const prompt = query.get('prompt');
  const press = prompt !== 'none' && mayNameUser(headers) ? readPress(query) : undefined;
  if (press?.exit !== undefined) return { kind: 'return', refused: refusal(EXITS[press.exit]) };
  if (press !== undefined) {
    const authTime = Math.floor(now / 1000);
    return { kind: 'grant', grant: grantOf(authority, query, { name: press.name, authTime }), isNew: true };
  }
  if (session !== undefined && (prompt === null || prompt === 'none')) {
    return { kind: 'grant', grant: grantOf(authority, query, session), isNew: false };
  }
  return prompt === 'none' ? { kind: 'return', refused: refusal('AADB2C90077') } : { kind: 'ask' };
}

/** Why no answer may be sent to the redirect URI, or undefined. */
function findUnfit({ clientId }: Authority, query: URLSearchParams, headers: IncomingHttpHeaders): string | undefined {
  if (!isNavigation(headers)) return 'Sign-in needs a browser window: a script (fetch) cannot do it.';
  const repeated = [...query.keys()].find((name, index, names) => names.indexOf(name) !== index);
  if (repeated !== undefined) return `${repeated} is given twice.`;
  if (query.get('client_id') !== clientId) return `client_id must be ${clientId}.`;
  if (isRegistered(query.get('redirect_uri') ?? '')) return undefined;
  return (
    'redirect_uri must be a page on this machine (http://localhost, http://127.0.0.1, or http://10.0.2.2 for the Android' +
    " emulator) or have the app's own scheme."
  );
}

function findProblem(authority: Authority, query: URLSearchParams): RefusedError | undefined {
  const responseType = query.get('response_type') ?? '';
  if (responseType !== 'code') return refusal('AADB2C90013', responseType);
  const responseMode = query.get('response_mode');
  if (responseMode !== null && !isResponseMode(responseMode)) return refusal('AADB2C90014', responseMode);
  const isChallenge = /^[A-Za-z0-9_-]{43}$/.test(query.get('code_challenge') ?? '');
  if (!isChallenge || query.get('code_challenge_method') !== 'S256') return refusal('AADB2C90184');
  const scope = query.get('scope');
  if (scope === null) return refusal('AADB2C90010');
  const scopes = readScopes(authority, scope);
  if ('unknown' in scopes) return refusal('AADB2C90117', scopes.unknown);
  if ('isEmpty' in scopes) return refusal('AADB2C90115');
  const prompt = query.get('prompt');
  const isPrompt = prompt === null || ['none', 'login', 'consent', 'select_account', 'create'].includes(prompt);
  return isPrompt ? undefined : refusal('AADB2C90043');
}

/** Where an app wants the answer: in the query, in the fragment, or posted by the browser. */
export type ResponseMode = 'query' | 'fragment' | 'form_post';

export function isResponseMode(text: string | null): text is ResponseMode {
  return text === 'query' || text === 'fragment' || text === 'form_post';
}

type Press = { name: string; exit?: undefined } | { exit: keyof typeof EXITS };

function readPress(query: URLSearchParams): Press | undefined {
  const exit = query.get(CHOSEN_EXIT);
  if (exit === 'cancel' || exit === 'forgot') return { exit };
  const name = query.get(CHOSEN_USER)?.trim() ?? '';
  return name === '' ? undefined : { name };
}

function grantOf(authority: Authority, query: URLSearchParams, { name, authTime }: Session): CodeGrant {
  const nonce = query.get('nonce');
  return {
    name,
    authTime,
    authority: authority.path,
    scope: query.get('scope') ?? '',
    redirectUri: query.get('redirect_uri') ?? '',
    challenge: query.get('code_challenge') ?? '',
    ...(nonce === null ? {} : { nonce }),
  };
}
