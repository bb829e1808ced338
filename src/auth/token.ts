import { isObject } from '../http/request.ts';
import { TokenRefusedError } from './refusal.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** A parsed token, not yet verified. Deeply frozen. */
export interface Token {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Claims;
}

// Request line and headers may take 64 KiB together, so no token that came by HTTP is longer.
const MAX_LENGTH = 64 * 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Strictly parses a JWS in compact serialization (RFC 7515, section 7.1): base64url without padding or stray bits, UTF-8,
 * one JSON object in header and payload, no repeated members, nothing nested too deeply.
 *
 * @throws {TokenRefusedError} `malformed`.
 */
export function readToken(text: string): Token {
  const [header, claims, signature, more] = text.length > MAX_LENGTH ? [] : text.split('.', 4);
  if (!header || !claims || !signature || more !== undefined) throw malformed('a signed JWT: three parts between dots');
  decode(signature, 'signature');
  return { header: readObject(header, 'header'), claims: readObject(claims, 'payload') };
}

function readObject(segment: string, part: string): Readonly<Record<string, unknown>> {
  const bytes = decode(segment, part);
  try {
    return parseStrictObject(utf8.decode(bytes));
  } catch {
    throw malformed(`a ${part} that is one JSON object in UTF-8, without repeated members, at most ${MAX_DEPTH} deep`);
  }
}

/** Several texts decode to the same bytes unless the unused bits of the last character are zero. */
function decode(segment: string, part: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url');
  if (bytes.toString('base64url') !== segment) throw malformed(`a ${part} in canonical base64url`);
  return bytes;
}

function malformed(expected: string): TokenRefusedError {
  const finding = {
    reason: 'malformed',
    subject: 'token',
    expected,
    received: 'something else',
    description: 'the token is not a well-formed signed JWT',
    cure: 'send the access token exactly as the tenant issued it, whole and unchanged',
  } as const;
  return new TokenRefusedError(finding, () => [finding]);
}

/** The text is not one JSON object, repeats a member, or is nested too deeply. */
export class StrictJsonError extends Error {}

/** Objects and lists that may be open at once. Claims need a few, and recursive code stays far from its limit. */
const MAX_DEPTH = 64;

// What a colon follows is the name of a member.
const STRINGS = /("(?:[^"\\]|\\.)*")(\s*:)?/g;

/**
 * Parses one JSON object, nested at most 64 deep, in which no object names a member twice. Which of two members counts
 * is up to the parser (RFC 8259, section 4), so whoever checked the token before us may have read another one than we
 * do. Deeply frozen.
 *
 * @throws {SyntaxError} when it is not JSON.
 * @throws {StrictJsonError} when it is not of that kind.
 */
export function parseStrictObject(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new StrictJsonError('not an object');
  const read = freeze(value);
  // Of members with one name, one is left. And V8 may misread a name with an escape (nodejs/node 63785).
  if (sorted(read) !== sorted(namesIn(text))) throw new StrictJsonError('a member is there twice, or misread');
  return value;
}

function namesIn(text: string): string[] {
  const names: string[] = [];
  for (const [, name = '', colon] of text.matchAll(STRINGS)) {
    if (colon !== undefined) names.push(name.includes('\\') ? (JSON.parse(name) as string) : name.slice(1, -1));
  }
  return names;
}

function sorted(names: string[]): string {
  return JSON.stringify(names.sort());
}

/**
 * Claims are shared by all requests that bring the same token: none may change them for the others. Goes level by level,
 * so that no depth overflows the stack.
 *
 * @returns the names of all members of all objects.
 * @throws {StrictJsonError} when it is nested too deeply.
 */
function freeze(root: object): string[] {
  const names: string[] = [];
  let level = [root];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) throw new StrictJsonError('nested too deeply');
    for (const one of level) {
      Object.freeze(one);
      if (!Array.isArray(one)) for (const name of Object.keys(one)) names.push(name);
    }
    const values = level.flatMap((one) => Object.values(one) as unknown[]);
    level = values.filter((value): value is object => typeof value === 'object' && value !== null);
  }
  return names;
}
