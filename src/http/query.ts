import { InvalidQueryError } from '../errors.ts';
import { decodeUtf8, readUrlencoded } from './urlencoded.ts';

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
  const known: Partial<Record<Name, string>> = {};
  // Latin-1 keeps every byte apart, so that one that is not UTF-8 can be told together with its name.
  const given = readUrlencoded(query, (bytes) => bytes.toString('latin1'));
  const stranger = isStrict ? given.find(([other]) => !(names as readonly string[]).includes(other)) : undefined;
  if (stranger !== undefined) {
    throw new InvalidQueryError(`${quoted(stranger[0])} is not known here: ${names.join(', ')} are`);
  }
  for (const name of names) {
    const [value, ...more] = given.filter(([other]) => other === name).map(([, bytes]) => bytes);
    if (more.length > 0) throw new InvalidQueryError(`${name} is given more than once`);
    if (value !== undefined) known[name] = decodeValue(name, value);
  }
  return known;
}

function decodeValue(name: string, bytes: string): string {
  try {
    return decodeUtf8(Buffer.from(bytes, 'latin1'));
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
