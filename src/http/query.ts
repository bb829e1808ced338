import type { Request } from 'restify';
import { InvalidQueryError } from '../errors.ts';

/**
 * The query parameters that a route knows; others are ignored.
 *
 * @throws {InvalidQueryError} naming a parameter that is given twice or is not well-formed UTF-8.
 */
export function readQuery<Name extends string>(req: Request, names: readonly Name[]): Partial<Record<Name, string>> {
  const known: Partial<Record<Name, string>> = {};
  const given = new URLSearchParams(req.getQuery());
  for (const name of names) {
    const [value, ...more] = given.getAll(name);
    if (more.length > 0) throw new InvalidQueryError(`${name} is given more than once`);
    // What percent-decoding could not read comes back as U+FFFD.
    if (value?.includes('\uFFFD')) throw new InvalidQueryError(`${name} is not well-formed UTF-8`);
    if (value !== undefined) known[name] = value;
  }
  return known;
}
