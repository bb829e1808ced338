/** The one place that turns an answer into bytes: headers, compression, and the tag of what is sent. */
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import type { Request, Response } from 'restify';
import type { HeaderMap } from '../errors.ts';
import { acceptsGzip } from './accept.ts';
import { type Answer, JSON_TYPE } from './answer.ts';
import { quoteTag } from './conditional.ts';
import { logOf } from './request.ts';

// Below this, compressing takes less time than a round trip through the thread pool.
const SYNC_GZIP_CHARS = 16_384;
const gzipAsync = promisify(gzip);

/**
 * Sends the answer; Node omits the body for HEAD. Large bodies are compressed in the thread pool, everything else is sent
 * at once.
 */
export function send(req: Request, res: Response, answer: Answer): Promise<void> | void {
  const { body, pieces, gzip } = answer;
  if (pieces !== undefined) return sendPieces(req, res, answer, pieces);
  if (body === undefined || !acceptsGzip(req)) write(res, answer, body);
  else if (gzip !== undefined) write(res, answer, gzip, true);
  else if (body.length <= SYNC_GZIP_CHARS) write(res, answer, gzipSync(body), true);
  else {
    return gzipAsync(body).then((bytes) => {
      write(res, answer, bytes, true);
    });
  }
}

/** Waits for the client, so that no more is produced than it reads. Nothing is sent before the first piece is ready. */
async function sendPieces(req: Request, res: Response, answer: Answer, pieces: AsyncIterator<string>): Promise<void> {
  const first = await pieces.next();
  describe(res, answer);
  if (req.method === 'HEAD') {
    finish(res, answer.status);
    return;
  }
  res.writeHead(answer.status);
  try {
    await pipeline(eachOf(res, first, pieces), res);
  } catch (error) {
    // Too late for another status; a destroyed connection shows that the body is incomplete.
    logOf(req).warn({ err: error }, 'answer cut off');
  }
}

/** Reports the size of each piece: from then on, its time to be read runs. */
async function* eachOf(res: Response, first: IteratorResult<string>, rest: AsyncIterator<string>) {
  for (let piece = first; piece.done !== true; piece = await rest.next()) {
    res.emit('piece', Buffer.byteLength(piece.value));
    yield piece.value;
  }
}

function write(res: Response, answer: Answer, body?: string | Buffer, isGzip = false): void {
  if (body !== undefined) res.setHeader('Content-Length', Buffer.byteLength(body));
  if (isGzip) res.setHeader('Content-Encoding', 'gzip');
  // RFC 9110, section 8.8.3.3: two encodings of one state are two representations, each with its own tag.
  describe(res, answer, isGzip ? '-gzip' : '');
  finish(res, answer.status, body);
}

function describe(res: Response, { body, pieces, contentType, etag, headers = {} }: Answer, tagSuffix = ''): void {
  if (body !== undefined || pieces !== undefined) res.setHeader('Content-Type', contentType ?? JSON_TYPE);
  if (etag !== undefined) res.setHeader('ETag', quoteTag(`${etag}${tagSuffix}`));
  setHeaders(res, headers);
}

export function setHeaders(res: Response, headers: HeaderMap): void {
  for (const name in headers) res.setHeader(name, headers[name] ?? '');
}

/** Not `res.sendRaw`, which ends after the body: head and body leave in one write only if they end the answer. */
function finish(res: Response, status: number, body?: string | Buffer): void {
  res._sent = true;
  // The client has left: the log keeps restify's status for that, rather than one that nobody got.
  if (res.closed) return;
  res.statusCode = status;
  res.writeHead(status);
  res.end(body);
}
