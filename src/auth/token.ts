import { TokenRefusedError } from './refusal.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** A token taken apart. Nothing in it is verified yet. Deeply frozen. */
export interface Token {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Claims;
}

// Request line and headers may take 64 KiB together, so no token that came by HTTP is longer.
const MAX_LENGTH = 64 * 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Takes a JWS in compact serialization (RFC 7515, section 7.1) apart, to the letter: base64url without padding or
 * stray bits, UTF-8, one JSON object in header and payload, no member twice, nothing nested too deeply.
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

/** The text is not one JSON object, names a member twice, or is nested too deeply. */
export class StrictJsonError extends Error {}

/** Objects and lists that may be open at once. Claims need a few; whatever recurses over them stays far from its limit. */
const MAX_DEPTH = 64;

/**
 * Parses one JSON object, nested at most 64 deep, in which no object names a member twice. Which of two members counts
 * is up to the parser (RFC 8259, section 4), so whoever checked the token before us may have read another one than we
 * do.
 *
 * @throws {SyntaxError} when it is not JSON.
 * @throws {StrictJsonError} when it is not of that kind.
 */
export function parseStrictObject(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new StrictJsonError('not an object');
  refuseOddStructure(text);
  return deepFreeze(value as Record<string, unknown>);
}

/**
 * Expects text that `JSON.parse` has accepted. Keeps its own stack, so that no depth overflows ours.
 *
 * @throws {StrictJsonError}
 */
function refuseOddStructure(text: string): void {
  // The names seen in each object that is open; undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  let isName = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      const end = endOfString(text, at);
      if (isName) noteName(text.slice(at, end + 1), open.at(-1));
      isName = false;
      at = end;
    } else if (character === OPEN_BRACE || character === OPEN_BRACKET) {
      isName = character === OPEN_BRACE;
      if (open.push(isName ? new Set() : undefined) > MAX_DEPTH) throw new StrictJsonError('nested too deeply');
    } else if (character === CLOSE_BRACE || character === CLOSE_BRACKET) open.pop();
    else if (character === COMMA) isName = open.at(-1) !== undefined;
  }
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Where the string that begins there ends: at the first quote that no backslash escapes. */
function endOfString(text: string, begin: number): number {
  let end = text.indexOf('"', begin + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

function noteName(quoted: string, names: Set<string> | undefined): void {
  const name = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
  if (names?.has(name)) throw new StrictJsonError('a member is there twice');
  names?.add(name);
}

/** Claims are shared by all requests that bring the same token: none may change them for the others. */
function deepFreeze<T extends object>(root: T): T {
  const left: object[] = [root];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    Object.freeze(value);
    for (const member of Object.values(value) as unknown[]) {
      if (typeof member === 'object' && member !== null) left.push(member);
    }
  }
  return root;
}
