/** The one place that turns an answer into bytes: headers, compression, and the tag of what is sent. */
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import Negotiator from 'negotiator';
import type { Request, Response } from 'restify';
import { type Answer, JSON_TYPE } from './answer.ts';
import { quoteTag } from './conditional.ts';
import { logOf } from './request.ts';

// Below this, compressing takes less time than a round trip through the thread pool.
const SYNC_GZIP_CHARS = 16_384;
// A list of codings that is longer than this says nothing that is worth the time to read it.
const MAX_ACCEPT_CHARS = 1_024;
const gzipAsync = promisify(gzip);

/** Sends the answer; Node leaves the body out of an answer to HEAD. Large bodies are compressed elsewhere meanwhile. */
export function send(req: Request, res: Response, answer: Answer): Promise<void> | void {
  const { body, pieces } = answer;
  if (pieces !== undefined) return sendPieces(req, res, answer, pieces);
  if (body === undefined) {
    setHeaders(res, answer);
    finish(res, answer.status);
    return;
  }
  if (!acceptsGzip(req)) write(res, answer, body, Buffer.byteLength(body));
  else if (answer.gzip !== undefined) writeGzip(res, answer, answer.gzip);
  else if (body.length <= SYNC_GZIP_CHARS) writeGzip(res, answer, gzipSync(body));
  else {
    return gzipAsync(body).then((bytes) => {
      writeGzip(res, answer, bytes);
    });
  }
}

/** Waits for the client, so that no more is made than it reads. Nothing is sent before the first piece is there. */
async function sendPieces(req: Request, res: Response, answer: Answer, pieces: AsyncIterator<string>): Promise<void> {
  const first = await pieces.next();
  res.setHeader('Content-Type', answer.contentType ?? JSON_TYPE);
  setHeaders(res, answer);
  if (req.method === 'HEAD') {
    finish(res, answer.status);
    return;
  }
  res.writeHead(answer.status);
  try {
    await pipeline(eachOf(res, first, pieces), res);
  } catch (error) {
    // Too late for another status: what was cut off does not look whole.
    logOf(req).warn({ err: error }, 'answer cut off');
  }
}

/** Says of each piece how large it is: from then on it has its time to be read. */
async function* eachOf(res: Response, first: IteratorResult<string>, rest: AsyncIterator<string>) {
  for (let piece = first; piece.done !== true; piece = await rest.next()) {
    res.emit('piece', Buffer.byteLength(piece.value));
    yield piece.value;
  }
}

/** For what must leave at once, whatever its size: errors. */
export function sendNow(req: Request, res: Response, answer: Answer): void {
  const body = answer.body ?? '';
  if (acceptsGzip(req)) writeGzip(res, answer, gzipSync(body));
  else write(res, answer, body, Buffer.byteLength(body));
}

function writeGzip(res: Response, answer: Answer, bytes: Buffer): void {
  res.setHeader('Content-Encoding', 'gzip');
  // RFC 9110, section 8.8.3.3: two encodings of one state are two representations, each with a tag of its own.
  write(res, answer.etag === undefined ? answer : { ...answer, etag: `${answer.etag}-gzip` }, bytes, bytes.length);
}

function write(res: Response, answer: Answer, body: string | Buffer, length: number): void {
  res.setHeader('Content-Type', answer.contentType ?? JSON_TYPE);
  res.setHeader('Content-Length', length);
  setHeaders(res, answer);
  finish(res, answer.status, body);
}

/** Not `res.sendRaw`, which ends after the body: head and body leave in one piece only when they are the end. */
function finish(res: Response, status: number, body?: string | Buffer): void {
  res._sent = true;
  // The client has left: the log keeps restify's status for that, rather than one that nobody got.
  if (res.closed) return;
  res.statusCode = status;
  res.writeHead(status);
  res.end(body);
}

function setHeaders(res: Response, { etag, headers = {} }: Answer): void {
  if (etag !== undefined) res.setHeader('ETag', quoteTag(etag));
  for (const name in headers) res.setHeader(name, headers[name] ?? '');
}

function acceptsGzip(req: Request): boolean {
  const accepted = req.headers['accept-encoding'];
  if (accepted === undefined || accepted === 'identity' || accepted.length > MAX_ACCEPT_CHARS) return false;
  return new Negotiator(req).encoding(['gzip', 'identity']) === 'gzip';
}
