import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { parseAddress, pathOf, type Address } from '../address.ts';
import { decide, isRegistered } from './authorization.ts';
import type { Grants } from './grants.ts';
import type { PolicyService } from './policyService.ts';
import { isOwnHost } from './requestSource.ts';
import { refusalPage, signInPage } from './signInPage.ts';
import { redeem, TokenRefusedError } from './tokenRequest.ts';

/** Far more than any form that a client sends. */
const MAX_FORM_BYTES = 64 * 1024;

interface Parts {
  /** `https://localhost:<port>` */
  origin: string;
  services: ReadonlyMap<string, PolicyService>;
  grants: Grants;
}

/** Everything that the tenant answers. What the library would wave through is decided here first. */
export function createTenantHandler({ origin, services, grants }: Parts): RequestListener {
  const { port } = new URL(origin);

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (!isOwnHost(req.headers.host, port)) {
      sendJson(res, 421, { error: 'invalid_request', error_description: `the development tenant is at ${origin}` });
      return;
    }
    const address = parseAddress(req.url ?? '/');
    const service = address && services.get(address.policy);
    if (address === undefined || service === undefined) {
      sendJson(res, 404, { error: 'not_found', error_description: 'no such tenant, policy or endpoint' });
      return;
    }
    // The library knows one form of each path.
    req.url = `${pathOf(address.policy, address.endpoint)}?${address.query.toString()}`;
    if (address.endpoint === 'authorize') authorize(service, address, req, res);
    else if (address.endpoint === 'token' && req.method === 'POST') await issue(service, address, req, res);
    else if (address.endpoint === 'logout' && !mayLogOut(address.query)) sendPage(res, 400, refusalPage(LOGOUT_HELP));
    else service.handle(req, res);
  }

  function authorize(service: PolicyService, { query, policy }: Address, ...[req, res]: Parameters<RequestListener>) {
    // Never the library: it answers every preflight with a yes.
    if (req.method !== 'GET') {
      res.writeHead(405, { Allow: 'GET' }).end();
      return;
    }
    const decision = decide(query, policy, req.headers);
    if (decision.kind === 'refuse') sendPage(res, 400, refusalPage(decision.message));
    else if (decision.kind === 'redirect') res.writeHead(302, { Location: decision.location }).end();
    else if (decision.kind === 'ask') sendPage(res, 200, signInPage(query, policy));
    else service.authorize(decision.grant, req, res);
  }

  async function issue(service: PolicyService, { policy }: Address, ...[req, res]: Parameters<RequestListener>) {
    const form = await readForm(req);
    service.issue(redeem(form, policy, grants), form, req, res);
  }

  return (req, res) => {
    handle(req, res).catch((error: unknown) => {
      const isRefusal = error instanceof TokenRefusedError;
      if (!isRefusal) console.error('The development tenant failed to answer:', error);
      const code = isRefusal ? error.error : 'server_error';
      sendJson(res, isRefusal ? 400 : 500, { error: code, error_description: (error as Error).message });
    });
  };
}

const LOGOUT_HELP = 'post_logout_redirect_uri must be a page on this machine or an app of its own scheme.';

function mayLogOut(query: URLSearchParams): boolean {
  const uris = query.getAll('post_logout_redirect_uri');
  return uris.length === 0 || (uris.length === 1 && uris.every(isRegistered));
}

async function readForm(req: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_FORM_BYTES) throw new TokenRefusedError('invalid_request', 'the form is too large');
    chunks.push(chunk);
  }
  const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
  const isRepeated = new Set(form.keys()).size !== form.size;
  if (isRepeated) throw new TokenRefusedError('invalid_request', 'a parameter is there twice');
  return form;
}

function sendJson(res: ServerResponse, status: number, body: Record<string, string>): void {
  // The library lets pages of every origin read its answers; so must they read a refusal.
  const headers = { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' };
  res.writeHead(status, { ...headers, 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

function sendPage(res: ServerResponse, status: number, html: string): void {
  res.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  res.end(html);
}
