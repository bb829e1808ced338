import { InvalidQueryError } from '../errors.ts';
import { decodeUtf8, MAX_PAIRS, percentDecode, readUrlencoded } from './urlencoded.ts';

/**
 * The query parameters that a route knows. Others are ignored, or, when it is strict, refused.
 *
 * @param query without its question mark.
 * @throws {InvalidQueryError} naming a parameter that is given twice, is not well-formed UTF-8, or is not known.
 */
export function readQuery<Name extends string>(
  query: string,
  names: readonly Name[],
  isStrict = false,
): Partial<Record<Name, string>> {
  const pairs = readUrlencoded(query);
  if (pairs === undefined) throw new InvalidQueryError(`a query may have ${MAX_PAIRS} parameters at most`);
  const known: Partial<Record<Name, string>> = {};
  for (const [rawName, rawValue] of pairs) {
    const given = percentDecode(rawName).toString('latin1');
    const name = names.find((one) => one === given);
    if (name === undefined && isStrict) {
      throw new InvalidQueryError(`${quoted(given)} is not known here: ${names.join(', ')} are`);
    }
    if (name === undefined) continue;
    if (known[name] !== undefined) throw new InvalidQueryError(`${name} is given more than once`);
    known[name] = decodeValue(name, rawValue);
  }
  return known;
}

function decodeValue(name: string, value: string): string {
  try {
    return decodeUtf8(percentDecode(value));
  } catch {
    throw new InvalidQueryError(`${name} is not well-formed UTF-8`);
  }
}

// Enough to recognise it by.
const MAX_QUOTED = 50;

function quoted(name: string): string {
  const text = Buffer.from(name.slice(0, MAX_QUOTED), 'latin1').toString();
  return /^[\w.-]+$/.test(text) ? text : JSON.stringify(text);
}
