import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Address, parseAddress } from './address.ts';
import { keysOf, metadataOf } from './metadata.ts';
import { redeem } from './redeem.ts';
import { RefusedError } from './refusal.ts';
import { isOwnHost } from './requestSource.ts';
import { answerPreflight, readForm, sendCertificate, sendJson, sendPage } from './respond.ts';
import { createSignIn, type SignInParts } from './signIn.ts';

interface HandlerParts extends SignInParts {
  /** The page at the tenant's root. HTML. */
  page: string;
  /** PEM. */
  certificate: string;
}

type Exchange = [req: IncomingMessage, res: ServerResponse];

/** Everything that the tenant answers. */
export function createTenantHandler(parts: HandlerParts): RequestListener {
  const { signer, page, certificate } = parts;
  const { port } = new URL(signer.origin);
  const signIn = createSignIn(parts);

  async function handle(...[req, res]: Exchange): Promise<void> {
    const { host } = req.headers;
    if (!isOwnHost(host, port)) throw new UnknownAddressError(421, `the development tenant is at ${signer.origin}`);
    const url = URL.parse(req.url ?? '/', `https://${String(host).toLowerCase()}`);
    const address = url === null ? undefined : parseAddress(url);
    if (url?.pathname === '/') sendPage(res, 200, page);
    else if (url?.pathname === '/certificate.pem') sendCertificate(res, certificate);
    else if (url === null || address === undefined) {
      throw new UnknownAddressError(404, 'no such tenant, policy or endpoint');
    } else await answer(address, url.origin, req, res);
  }

  async function answer({ authority, endpoint, query }: Address, here: string, ...[req, res]: Exchange): Promise<void> {
    const isForScripts = endpoint === 'metadata' || endpoint === 'keys' || endpoint === 'token';
    const method = endpoint === 'token' ? 'POST' : 'GET';
    if (isForScripts && req.method === 'OPTIONS') answerPreflight(req, res);
    else if (req.method !== method) res.writeHead(405, { Allow: method }).end();
    else if (endpoint === 'metadata') sendJson(res, 200, metadataOf(authority, signer, here));
    else if (endpoint === 'keys') sendJson(res, 200, keysOf(authority, signer));
    else if (endpoint === 'token') sendJson(res, 200, await redeem(authority, await readForm(req), parts));
    else if (endpoint === 'logout') signIn.logOut(authority, query, res);
    else await signIn.authorize(authority, query, req, res);
  }

  return (req, res) => {
    handle(req, res).catch((error: unknown) => {
      sendError(res, error);
    });
  };
}

class UnknownAddressError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

function sendError(res: ServerResponse, error: unknown): void {
  // The client is gone, or has half an answer.
  if (res.headersSent || res.socket?.destroyed !== false) {
    res.destroy();
  } else if (error instanceof RefusedError) {
    sendJson(res, 400, { error: error.error, error_description: error.message });
  } else if (error instanceof UnknownAddressError) {
    sendJson(res, error.status, { error: 'not_found', error_description: error.message });
  } else {
    console.error('The development tenant failed to answer:', error);
    sendJson(res, 500, { error: 'server_error', error_description: 'see the output of npm run dev' });
  }
}
