import Negotiator from 'negotiator';
import type { Request } from 'restify';
import { NotAcceptableError } from '../errors.ts';

// Every parameter but q, with its value quoted or not.
const PARAMETER = /;\s*(?!q\s*=)[^=;,\s]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^;,]*)/gi;

/** For JSON routes, before anything is done: refuses a request whose Accept excludes JSON (RFC 9110, section 12.5.1). */
export async function acceptsJson(req: Request): Promise<void> {
  const accept = req.headers.accept;
  if (accept === undefined || accept.trim() === '' || accept === '*/*') return;
  const negotiator = new Negotiator({ headers: { accept: accept.replace(PARAMETER, '') } });
  if (negotiator.mediaType(['application/json']) === undefined) throw new NotAcceptableError();
}
