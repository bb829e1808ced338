/** How a response with a body leaves: JSON, compressed when the client accepts it, with the entity tag of what is sent. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import Negotiator from 'negotiator';
import type { Request, Response } from 'restify';
import type { HeaderMap } from '../errors.ts';
import { isNotModified, quoteTag } from './conditional.ts';
import './request.ts';

export interface Representation {
  /** The opaque part of the entity tag, without quotes; `hash` derives it from the body. None: no ETag. */
  etag?: string;
  headers?: HeaderMap;
  /** `application/json` unless given. */
  contentType?: string;
}

// Below this, compressing takes less time than a round trip through the thread pool.
const SYNC_GZIP_BYTES = 16_384;
const gzipAsync = promisify(gzip);

/** Answers with a JSON body: 304 instead when the client has it already (GET and HEAD), no body for HEAD. */
export async function sendJson(
  req: Request,
  res: Response,
  status: number,
  body: object,
  representation: Representation = {},
): Promise<void> {
  await sendBody(req, res, status, JSON.stringify(body), representation);
}

/** Like `sendJson`, for a body that is already text or bytes. */
export async function sendBody(
  req: Request,
  res: Response,
  status: number,
  body: string | Buffer,
  representation: Representation = {},
): Promise<void> {
  const plain = typeof body === 'string' ? Buffer.from(body) : body;
  const isGzip = acceptsGzip(req);
  const tag = representation.etag === 'hash' ? digest(plain) : representation.etag;
  setHeaders(res, representation, tag, isGzip);
  if (tag !== undefined && status === 200 && isNotModified(req, tag)) {
    res.sendRaw(304, '');
    return;
  }
  write(res, status, !isGzip ? plain : plain.length <= SYNC_GZIP_BYTES ? gzipSync(plain) : await gzipAsync(plain));
}

/** The same without waiting, for answers that must leave at once: errors. */
export function sendNow(req: Request, res: Response, status: number, body: string, headers: Representation): void {
  const isGzip = acceptsGzip(req);
  setHeaders(res, headers, undefined, isGzip);
  write(res, status, isGzip ? gzipSync(body) : Buffer.from(body));
}

/** Answers without a body. */
export function sendEmpty(_req: Request, res: Response, status: 204, headers: HeaderMap = {}): void {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.sendRaw(status, '');
}

function setHeaders(res: Response, { headers, contentType }: Representation, tag: string | undefined, isGzip: boolean) {
  res.setHeader('Content-Type', contentType ?? 'application/json');
  if (isGzip) res.setHeader('Content-Encoding', 'gzip');
  // RFC 9110, section 8.8.3.3: two encodings of one state are two representations, each with a tag of its own.
  if (tag !== undefined) res.setHeader('ETag', quoteTag(isGzip ? `${tag}-gzip` : tag));
  for (const [name, value] of Object.entries(headers ?? {})) res.setHeader(name, value);
}

// Restify itself leaves the body out of an answer to HEAD.
function write(res: Response, status: number, body: Buffer): void {
  res.setHeader('Content-Length', body.length);
  res.sendRaw(status, body);
}

function acceptsGzip(req: Request): boolean {
  if (req.headers['accept-encoding'] === undefined) return false;
  return new Negotiator(req).encoding(['gzip', 'identity']) === 'gzip';
}

function digest(body: Buffer): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, 27);
}
