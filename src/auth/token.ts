import { MAX_DEPTH, parseStrictObject } from './json.ts';
import { TokenRefusedError } from './refusal.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** A token taken apart. Nothing in it is verified yet. Deeply frozen. */
export interface Token {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Claims;
}

// Request line and headers may take 64 KiB together, so no token that came by HTTP is longer.
const MAX_LENGTH = 64 * 1024;
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Takes a JWS in compact serialization (RFC 7515, section 7.1) apart, to the letter: base64url without padding or
 * stray bits, UTF-8, one JSON object in header and payload, no member twice, nothing nested too deeply.
 *
 * @throws {TokenRefusedError} `malformed`.
 */
export function readToken(text: string): Token {
  if (text.length > MAX_LENGTH || !COMPACT.test(text)) throw malformed('a signed JWT: three parts between dots');
  const [header, claims, signature] = text.split('.') as [string, string, string];
  decode(signature, 'signature');
  return { header: readObject(header, 'header'), claims: readObject(claims, 'payload') };
}

function readObject(segment: string, part: string): Readonly<Record<string, unknown>> {
  const bytes = decode(segment, part);
  try {
    return parseStrictObject(utf8.decode(bytes));
  } catch (cause) {
    const expected = `a ${part} that is one JSON object in UTF-8, without repeated members, at most ${MAX_DEPTH} deep`;
    throw malformed(expected, cause);
  }
}

/** Several texts decode to the same bytes unless the unused bits of the last character are zero. */
function decode(segment: string, part: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url');
  if (bytes.toString('base64url') !== segment) throw malformed(`a ${part} in canonical base64url`);
  return bytes;
}

function malformed(expected: string, cause?: unknown): TokenRefusedError {
  const finding = {
    reason: 'malformed',
    subject: 'token',
    expected,
    received: 'something else',
    description: 'the token is not a well-formed signed JWT',
    cure: 'send the access token exactly as the tenant issued it, whole and unchanged',
  } as const;
  return new TokenRefusedError([finding], { cause });
}
