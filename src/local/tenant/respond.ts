import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ResponseMode } from './authorize.ts';
import { RETURN_SCRIPT_HASH, returnPage } from './pages.ts';
import { RefusedError } from './refusal.ts';

/** Far more than any form that a client sends. */
const MAX_FORM_BYTES = 64 * 1024;

/** Pages of any origin may read it: no cookies are used here, and every app signs in from its own origin. */
const OPEN = { 'Access-Control-Allow-Origin': '*' };

export function sendJson(res: ServerResponse, status: number, body: object): void {
  const headers = { ...OPEN, 'Cache-Control': 'no-store', 'Content-Type': 'application/json; charset=utf-8' };
  res.writeHead(status, headers).end(JSON.stringify(body));
}

/** Browsers send a preflight before what MSAL sends. */
export function answerPreflight(req: IncomingMessage, res: ServerResponse): void {
  const asked = req.headers['access-control-request-headers'];
  const headers = asked === undefined ? {} : { 'Access-Control-Allow-Headers': asked };
  res.writeHead(204, {
    ...OPEN,
    ...headers,
    'Access-Control-Allow-Methods': 'GET, POST',
    Vary: 'Access-Control-Request-Headers',
  });
  res.end();
}

export function sendPage(res: ServerResponse, status: number, html: string): void {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
  res.writeHead(status, { ...PAGE, 'Content-Security-Policy': policy }).end(html);
}

/** Sends the browser, perhaps in a hidden frame, back to the app in the way the app asked for. */
export function sendBack(
  res: ServerResponse,
  { redirectUri, mode, answer }: { redirectUri: string; mode: ResponseMode; answer: Record<string, string> },
): void {
  if (mode === 'form_post') {
    res.writeHead(200, {
      ...PAGE,
      'Content-Security-Policy': `default-src 'none'; script-src '${RETURN_SCRIPT_HASH}'`,
    });
    res.end(returnPage(redirectUri, answer));
    return;
  }
  const url = new URL(redirectUri);
  if (mode === 'fragment') url.hash = new URLSearchParams(answer).toString();
  else for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value);
  res.writeHead(302, { Location: url.href, 'Cache-Control': 'no-store' }).end();
}

const PAGE = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

export function sendCertificate(res: ServerResponse, pem: string): void {
  const headers = {
    'Content-Type': 'application/x-pem-file',
    'Content-Disposition': 'attachment; filename="tasksdev.pem"',
  };
  res.writeHead(200, headers).end(pem);
}

/** @throws {RefusedError} when it is too large or repeats a parameter. */
export async function readForm(req: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_FORM_BYTES) throw new RefusedError('invalid_request', 'the form is too large');
    chunks.push(chunk);
  }
  const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
  const isRepeated = new Set(form.keys()).size !== form.size;
  if (isRepeated) throw new RefusedError('invalid_request', 'a parameter is given twice');
  return form;
}
