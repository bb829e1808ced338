/**
 * Reads a JSON or form body, bounded in size. Restify's own body parser is not used: it inflates without a limit,
 * reads oversized bodies to their end and lets client headers choose parsers.
 */
import type { Request, Response } from 'restify';
import { BadRequestError, InvalidContentError, PayloadTooLargeError, UnsupportedMediaTypeError } from '../errors.ts';
import { isObject, type Members, type Step } from './request.ts';
import { type Decode, decodeUtf8, MAX_PAIRS, percentDecode, readUrlencoded } from './urlencoded.ts';

/** The format of a body. */
export type BodyKind = 'json' | 'form';

export const MAX_BODY_BYTES = 64 * 1024;

export interface BodyOptions {
  /** Bytes that a body may have, by default 64 KiB; more is 413. */
  maxBytes?: number;
  /** Read invalid UTF-8 as Latin-1 instead of refusing it. */
  isLatin1Accepted?: boolean;
}

/** The body of an operation that needs none: still refused if it is malformed or contains a token. */
export const IGNORED_BODY = { description: 'Read, and not looked at.', isRequired: false, content: {} };

/**
 * A step that sets `req.body` (undefined if there is no body or an empty one) and `req.bodyKind`. Put it after
 * authentication, so that an unknown caller costs no memory.
 */
export function readBody({ maxBytes = MAX_BODY_BYTES, isLatin1Accepted = false }: BodyOptions): Step {
  return async (req, res) => {
    if (!hasBody(req)) return;
    const kind = mediaTypeOf(req);
    const bytes = await readBytes(req, res, maxBytes);
    if (bytes.length === 0) return;
    if (kind === undefined) throw new UnsupportedMediaTypeError('a body needs a Content-Type: application/json');
    req.bodyKind = kind;
    req.body = parse(kind, bytes, decoderFor(isLatin1Accepted));
  };
}

export function hasBody({ headers }: Pick<Request, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

const KINDS: Readonly<Record<string, BodyKind>> = {
  'application/json': 'json',
  'application/x-www-form-urlencoded': 'form',
};
// RFC 7396: a merge patch is JSON, with a name of its own.
const PATCH_KINDS: Readonly<Record<string, BodyKind>> = {
  'application/json': 'json',
  'application/merge-patch+json': 'json',
};

/**
 * The declared format of the body; undefined if none is declared.
 *
 * @throws {UnsupportedMediaTypeError} for another type, a charset other than UTF-8, or a content coding.
 */
function mediaTypeOf(req: Request): BodyKind | undefined {
  refuseCoding(req.headers['content-encoding']);
  const header = req.headers['content-type'];
  if (header === undefined || header.trim() === '') return undefined;
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  refuseCharset(parameters);
  const kinds = req.method === 'PATCH' ? PATCH_KINDS : KINDS;
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (kind === undefined) throw new UnsupportedMediaTypeError(`send ${Object.keys(kinds).join(' or ')}`);
  return kind;
}

// A few bytes of gzip can hold gigabytes.
function refuseCoding(coding: string | undefined): void {
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity') {
    throw new UnsupportedMediaTypeError('send the body without Content-Encoding');
  }
}

function refuseCharset(parameters: readonly string[]): void {
  const charsets = parameters.filter((parameter) => /^charset\s*(=|$)/.test(parameter));
  if (!charsets.every((charset) => /^charset="?utf-?8"?$/.test(charset))) {
    throw new UnsupportedMediaTypeError('send the body in UTF-8');
  }
}

async function readBytes(req: Request, res: Response, maxBytes: number): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw new PayloadTooLargeError(maxBytes);
  // RFC 9110, section 10.1.1: HTTP/1.0 has no interim responses.
  if (req.headers.expect !== undefined && req.httpVersion !== '1.0') res.writeContinue();
  return await collect(req, maxBytes);
}

function collect(req: Request, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    req.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      req.removeAllListeners('data');
      req.pause();
      reject(new PayloadTooLargeError(maxBytes));
    });
    req.once('end', () => {
      resolve(Buffer.concat(chunks));
    });
    const onBroken = (): void => {
      reject(new BadRequestError('the connection ended before the body did'));
    };
    req.once('error', onBroken);
    req.once('close', onBroken);
    // The client may have left during authentication; then none of these events comes.
    if (req.destroyed && !req.readableEnded) onBroken();
  });
}

function decoderFor(isLatin1Accepted: boolean): Decode {
  return (bytes) => {
    try {
      return decodeUtf8(bytes);
    } catch {
      if (isLatin1Accepted) return bytes.toString('latin1');
      throw new InvalidContentError('the body is not valid UTF-8');
    }
  };
}

function parse(kind: BodyKind, bytes: Buffer, decode: Decode): Members {
  return kind === 'json' ? parseJson(decode(bytes)) : parseForm(bytes.toString('latin1'), decode);
}

function parseJson(text: string): Members {
  let value: unknown;
  try {
    // RFC 8259, section 8.1: a byte order mark in front may be ignored.
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's message quotes the body.
    throw new InvalidContentError('the body is not valid JSON');
  }
  if (!isObject(value)) {
    throw new InvalidContentError('the body must be a JSON object');
  }
  return value;
}

/** A repeated member becomes a list, which is invalid in a form; unknown members may be repeated. */
function parseForm(text: string, decode: Decode): Members {
  const pairs = readUrlencoded(text);
  if (pairs === undefined) throw new InvalidContentError(`a form may have at most ${MAX_PAIRS} members`);
  const members = Object.create(null) as Record<string, unknown>;
  for (const [rawName, rawValue] of pairs) {
    const [name, value] = [decode(percentDecode(rawName)), decode(percentDecode(rawValue))];
    members[name] = name in members ? [members[name], value] : value;
  }
  return members;
}
