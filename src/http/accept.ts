/** What a client accepts (RFC 9110, section 12.5). */
import Negotiator from 'negotiator';
import type { Request } from 'restify';
import { NotAcceptableError } from '../errors.ts';
import type { Guard } from './operation.ts';

// Every parameter but q, with its value quoted or not.
const PARAMETER = /;\s*(?!q\s*=)[^=;,\s]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^;,]*)/gi;

// More than any client sends; parsing takes time.
const MAX_CHARS = 1_024;
const PROBLEM = 'application/problem+json';
const ANY = { accept: '*/*' };

/** For JSON routes, before anything is done: refuses a request whose Accept excludes JSON (RFC 9110, section 12.5.1). */
export function acceptsJson({ headers: { accept } }: Pick<Request, 'headers'>): void {
  if (accept === undefined || accept === '*/*' || accept === 'application/json' || accept.trim() === '') return;
  if (preferred(accept, ['application/json']) !== undefined) return;
  // Generated clients accept only this where the only body they expect is an error.
  if (accept.includes(PROBLEM) && preferred(accept, [PROBLEM]) !== undefined) return;
  throw new NotAcceptableError();
}

/** The guards for what is open to all: for anything, and for JSON. */
export const open: Guard = { steps: [], problems: [], headers: [], needsToken: false };
export const openJson: Guard = { ...open, steps: [acceptsJson], problems: [NotAcceptableError] };

/** Whether HTML is preferred to JSON, as by browsers. */
export function prefersHtml({ accept }: Request['headers']): boolean {
  return accept !== undefined && preferred(accept, ['application/json', 'text/html']) === 'text/html';
}

function preferred(accept: string, types: string[]): string | undefined {
  const headers = accept.length > MAX_CHARS ? ANY : { accept: accept.replace(PARAMETER, '') };
  return new Negotiator({ headers }).mediaType(types);
}

export function acceptsGzip({ headers }: Pick<Request, 'headers'>): boolean {
  const accepted = headers['accept-encoding'];
  if (accepted === undefined || accepted === 'identity' || accepted.length > MAX_CHARS) return false;
  return new Negotiator({ headers }).encoding(['gzip', 'identity']) === 'gzip';
}
