/** The answers to what Node's parser refuses, in the form of all others. */
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import {
  ApiError,
  BadRequestError,
  type HeaderMap,
  HeadersTooLargeError,
  NotImplementedError,
  RequestTimeoutError,
  VersionNotSupportedError,
} from '../errors.ts';
import type { Logger } from '../log.ts';
import { problemOf, titleOf } from './answer.ts';
import type { Connections } from './connections.ts';
import { ALWAYS } from './cors.ts';
import { requestIdFrom } from './request.ts';

// RFC 9112, section 3: a method is any token.
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ \S+ HTTP\/1\.[01]\r\n/;
const BAD_HEADER = new Set(['HPE_INVALID_HEADER_TOKEN', 'HPE_CR_EXPECTED', 'HPE_LF_EXPECTED']);
const ORIGIN = /\r\nOrigin:[ \t]*([^\s,]+)[ \t]*\r\n/i;

/** What the parser throws, with the bytes that it had and how far it got. */
interface ParserError {
  code?: string;
  rawPacket?: Buffer;
  bytesParsed?: number;
}

/** Sends these answers. */
export function answerParserErrors(
  httpServer: HttpServer,
  connections: Connections,
  log: Logger,
  corsHeaders: (origin: string | undefined) => HeaderMap,
): void {
  const refuse = (socket: Socket, refusal: ApiError, { code, rawPacket }: ParserError = {}): void => {
    if (!socket.writable) return;
    const requestId = requestIdFrom(undefined);
    log.info({ requestId, status: refusal.statusCode, reason: code }, 'refused by the parser');
    const origin = ORIGIN.exec(rawPacket?.toString('latin1') ?? '')?.[1];
    socket.write(rawProblem(refusal, requestId, corsHeaders(origin)));
    socket.destroySoon();
  };
  httpServer.on('clientError', (error: ParserError, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy(error as Error);
    else {
      connections.of(socket)?.refuseLast(() => {
        refuse(socket, refusalFor(error), error);
      });
    }
  });
  // Node would close the connection silently.
  httpServer.on('connect', (_req: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    connections.of(socket)?.refuseLast(() => {
      refuse(socket, new BadRequestError('this server is not a proxy'));
    });
  });
}

function refusalFor(error: ParserError): ApiError {
  const { code } = error;
  if (code === 'HPE_HEADER_OVERFLOW') return new HeadersTooLargeError();
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new RequestTimeoutError();
  if (code === 'HPE_INVALID_VERSION') return new VersionNotSupportedError();
  if (code === 'HPE_INVALID_METHOD' && REQUEST_LINE.test(fromLastLine(error))) {
    return new NotImplementedError('this server does not know this method');
  }
  // Also a token that was pasted with a line break: what follows it is read as the name of a header.
  if (code !== undefined && BAD_HEADER.has(code)) {
    return new BadRequestError(
      'a header contains a line break (pasted with a token?) or a character that is not allowed',
    );
  }
  return new BadRequestError('this is not well-formed HTTP/1.1');
}

/** There may be complete requests before the invalid one. */
function fromLastLine({ rawPacket = Buffer.of(), bytesParsed = 0 }: ParserError): string {
  const lineFeed = bytesParsed === 0 ? -1 : rawPacket.lastIndexOf('\n', bytesParsed - 1);
  return rawPacket.toString('latin1', lineFeed + 1);
}

function rawProblem(error: ApiError, requestId: string, corsHeaders: HeaderMap): string {
  const body = JSON.stringify(problemOf(error, requestId));
  return [
    `HTTP/1.1 ${error.statusCode} ${titleOf(error.statusCode)}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    `Date: ${new Date().toUTCString()}`,
    ...Object.entries({ ...ALWAYS, ...corsHeaders }).map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
