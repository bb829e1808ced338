import type { Request } from 'restify';
import { InvalidQueryError } from '../errors.ts';
import { decodeUtf8, readUrlencoded } from './urlencoded.ts';

/**
 * The query parameters that a route knows; others are ignored.
 *
 * @throws {InvalidQueryError} naming a parameter that is given twice or is not well-formed UTF-8.
 */
export function readQuery<Name extends string>(req: Request, names: readonly Name[]): Partial<Record<Name, string>> {
  const known: Partial<Record<Name, string>> = {};
  // Latin-1 keeps every byte apart, so that one that is not UTF-8 can be told together with its name.
  const given = readUrlencoded(req.getQuery(), (bytes) => bytes.toString('latin1'));
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
