/** Time and size limits of the connection, and the answers that Node's parser raises by itself. */
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';
import { ApiError, BadRequestError, HeadersTooLargeError, RequestTimeoutError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { problemOf } from './problem.ts';
import { requestIdFrom } from './requestId.ts';

export interface Limits {
  /** Milliseconds in which headers and body of a request must be complete. */
  requestMs: number;
  /** Milliseconds that a connection may be silent. A balancer in front should close its idle connections before. */
  idleMs: number;
  /** Milliseconds between two looks for requests that are late. */
  checkMs: number;
}

/**
 * With the look every second, nothing outlives 60 seconds. A request that stops in the middle is silent too, and must be
 * found late before its connection is found idle: only then is there an answer.
 */
export const DEFAULT_LIMITS: Limits = { requestMs: 54_000, idleMs: 58_000, checkMs: 1_000 };

/** Bytes that request line and headers may take together: a path segment may be as long as a task's text. */
const MAX_HEADER_BYTES = 64 * 1024;

/** Sets the limits. Call it before `listen`: Node reads most of them then. */
export function limit(httpServer: HttpServer, log: Logger, limits: Limits = DEFAULT_LIMITS): void {
  Object.assign(httpServer, {
    headersTimeout: limits.requestMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    // Not documented as properties, but this is where node:http keeps these options, and restify passes none to it.
    connectionsCheckingInterval: limits.checkMs,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  // Also ends connections whose client has stopped reading.
  httpServer.setTimeout(limits.idleMs);
  httpServer.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    answerParserError(error, socket, log);
  });
  // Node would close the connection without a word.
  httpServer.on('connect', (_req: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    socket.end(rawProblem(new BadRequestError('this server is no proxy'), requestIdFrom(undefined)));
  });
}

function answerParserError(error: NodeJS.ErrnoException, socket: Socket, log: Logger): void {
  if (error.code === 'ECONNRESET' || !socket.writable || hasAnswerBegun(socket)) {
    socket.destroy(error);
    return;
  }
  const owed = answerOwed(socket);
  if (owed !== undefined) {
    // What follows a whole request is garbage: that request is still answered, and nothing after it.
    owed.setHeader('Connection', 'close');
    return;
  }
  const refusal = refusalFor(error.code);
  const requestId = requestIdFrom(undefined);
  log.info({ requestId, status: refusal.statusCode, reason: error.code }, 'refused by the parser');
  socket.end(rawProblem(refusal, requestId));
}

function refusalFor(code: string | undefined): ApiError {
  if (code === 'HPE_HEADER_OVERFLOW') return new HeadersTooLargeError();
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new RequestTimeoutError();
  return new BadRequestError('this is not well-formed HTTP/1.1');
}

/** A second answer in the middle of the first would be read as part of it. */
function hasAnswerBegun(socket: Socket): boolean {
  return responseOn(socket)?.headersSent === true;
}

/** The answer to a request that has come in whole. */
function answerOwed(socket: Socket): ServerResponse | undefined {
  const response = responseOn(socket);
  return response?.req.complete === true ? response : undefined;
}

/** Where node:http keeps the answer that is next on a connection. */
function responseOn(socket: Socket): ServerResponse | undefined {
  return (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

function rawProblem(error: ApiError, requestId: string): string {
  const body = JSON.stringify(problemOf(error, requestId));
  return [
    `HTTP/1.1 ${error.statusCode} ${STATUS_CODES[error.statusCode] ?? ''}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    'Cache-Control: private, no-cache',
    `X-Request-Id: ${requestId}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
