/** The endpoints that a browser window visits, and the session that it keeps. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../clock.ts';
import type { Authority } from './authority.ts';
import { decide, type Decision, isResponseMode } from './authorize.ts';
import { refusalPage, signedOutPage, signInPage } from './pages.ts';
import { isRegistered } from './requestSource.ts';
import { sendBack, sendPage } from './respond.ts';
import type { Session, Tickets } from './tickets.ts';
import { clientInfo, type Signer } from './tokens.ts';

interface SignIn {
  authorize(authority: Authority, query: URLSearchParams, req: IncomingMessage, res: ServerResponse): Promise<void>;
  logOut(authority: Authority, query: URLSearchParams, res: ServerResponse): void;
}

export interface SignInParts {
  signer: Signer;
  tickets: Tickets;
  clock: Clock;
}

export function createSignIn({ signer, tickets, clock }: SignInParts): SignIn {
  const { port } = new URL(signer.origin);

  async function readSession(authority: Authority, req: IncomingMessage): Promise<Session | undefined> {
    const start = `${cookieOf(authority)}=`;
    const found = req.headers.cookie?.split('; ').find((cookie) => cookie.startsWith(start));
    return found === undefined ? undefined : await tickets.read('session', found.slice(start.length));
  }

  /** Browsers send a cookie to every port of its host, and each tenant has its own sessions. */
  function cookieOf({ tenantId }: Authority): string {
    return `session-${port}-${tenantId}`;
  }

  /** What the app learns from the decision. Whoever has just signed in gets a session. */
  async function answerTo(
    decision: Extract<Decision, { kind: 'return' | 'grant' }>,
    authority: Authority,
    { query, res }: { query: URLSearchParams; res: ServerResponse },
  ): Promise<Record<string, string>> {
    if (decision.kind === 'return') {
      return { error: decision.refused.error, error_description: decision.refused.message };
    }
    const { grant, isNew } = decision;
    const { name, authTime } = grant;
    if (isNew) setCookie(res, cookieOf(authority), await tickets.issue('session', { name, authTime }));
    const code = await tickets.issue('code', grant);
    return query.get('client_info') === '1' ? { code, client_info: clientInfo(name, authority) } : { code };
  }

  return {
    async authorize(authority, query, req, res) {
      const session = await readSession(authority, req);
      const decision = decide({ authority, query, headers: req.headers, session, now: clock.now() });
      if (decision.kind === 'refuse') sendPage(res, 400, refusalPage(decision.message));
      else if (decision.kind === 'ask') sendPage(res, 200, signInPage(query, authority));
      else {
        const answer = { ...(await answerTo(decision, authority, { query, res })), ...stateOf(query) };
        const asked = query.get('response_mode');
        const mode = isResponseMode(asked) ? asked : 'query';
        sendBack(res, { redirectUri: query.get('redirect_uri') ?? '', mode, answer });
      }
    },
    logOut(authority, query, res) {
      const uris = query.getAll('post_logout_redirect_uri');
      const [redirectUri] = uris;
      if (uris.length > 1 || !uris.every(isRegistered)) {
        sendPage(
          res,
          400,
          refusalPage("post_logout_redirect_uri must be a page on this machine or have the app's own scheme."),
        );
        return;
      }
      setCookie(res, cookieOf(authority), '');
      if (redirectUri === undefined) sendPage(res, 200, signedOutPage());
      else sendBack(res, { redirectUri, mode: 'query', answer: stateOf(query) });
    },
  };
}

function stateOf(query: URLSearchParams): Record<string, string> {
  const state = query.get('state');
  return state === null ? {} : { state };
}

/** SameSite=None for the hidden frame of MSAL's silent sign-in, which is cross-site. */
function setCookie(res: ServerResponse, name: string, value: string): void {
  const end = value === '' ? '; Max-Age=0' : '';
  res.setHeader('Set-Cookie', `${name}=${value}; Path=/; HttpOnly; Secure; SameSite=None${end}`);
}
