/** Names and values in queries and forms. */
import { InvalidQueryError } from '../errors.ts';

/** Decodes the bytes behind percent-encoding. */
export type Decode = (bytes: Buffer) => string;

// A byte order mark is an ordinary character: what is searched must be exactly what was stored.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws {TypeError} when the bytes are not UTF-8; `URLSearchParams` would silently replace them. */
export function decodeUtf8(bytes: Buffer): string {
  return UTF8.decode(bytes);
}

/** More than any client needs; reading each takes time. */
export const MAX_PAIRS = 1_000;

/**
 * Names and values of `application/x-www-form-urlencoded` (the WHATWG URL standard), in order, not yet decoded.
 *
 * @param text one character for each byte
 * @returns undefined if there are more than 1,000.
 */
export function readUrlencoded(text: string): [name: string, value: string][] | undefined {
  const pairs: [string, string][] = [];
  for (let start = 0; start < text.length;) {
    const found = text.indexOf('&', start);
    const end = found < 0 ? text.length : found;
    if (end > start) pairs.push(splitPair(text.slice(start, end)));
    if (pairs.length > MAX_PAIRS) return undefined;
    start = end + 1;
  }
  return pairs;
}

function splitPair(pair: string): [name: string, value: string] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}

/** The bytes that a name or a value stands for. */
export function percentDecode(part: string): Buffer {
  const text = part.replaceAll('+', ' ');
  const decoded = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(decoded, 'latin1');
}

/**
 * The query parameters that a route knows. Others are ignored, or refused if it is strict.
 *
 * @param query without its question mark.
 * @throws {InvalidQueryError} naming a parameter that is repeated, badly encoded, not well-formed UTF-8, or unknown.
 */
export function readQuery<Name extends string>(
  query: string,
  names: readonly Name[],
  isStrict = false,
): Partial<Record<Name, string>> {
  const pairs = readUrlencoded(query);
  if (pairs === undefined) throw new InvalidQueryError(`a query may have at most ${MAX_PAIRS} parameters`);
  const known: Partial<Record<Name, string>> = {};
  for (const [rawName, rawValue] of pairs) {
    const given = percentDecode(rawName).toString('latin1');
    const name = names.find((one) => one === given);
    if (name === undefined && isStrict) {
      throw new InvalidQueryError(`${quoted(given)} is unknown here: use ${names.join(', ')}`);
    }
    if (name === undefined) continue;
    if (known[name] !== undefined) throw new InvalidQueryError(`${name} is given more than once`);
    known[name] = decodeValue(name, rawValue);
  }
  return known;
}

function decodeValue(name: string, value: string): string {
  if (/%(?![0-9a-f]{2})/i.test(value)) throw new InvalidQueryError(`${name} has a % that encodes nothing: send %25`);
  try {
    return decodeUtf8(percentDecode(value));
  } catch {
    throw new InvalidQueryError(`${name} is not well-formed UTF-8`);
  }
}

// Enough to recognise it.
const MAX_QUOTED = 50;

function quoted(name: string): string {
  const text = Buffer.from(name.slice(0, MAX_QUOTED), 'latin1').toString();
  return /^[\w.-]+$/.test(text) ? text : JSON.stringify(text);
}
