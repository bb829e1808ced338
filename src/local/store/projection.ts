import { type Doc, isDoc, toNumber } from './documents.ts';
import { CommandError, notImplemented } from './errors.ts';

export type Projection = (doc: Doc) => Doc;

/** Undefined when everything is wanted. @throws {CommandError} for anything but members to keep or members to leave out. */
export function parseProjection(projection: Doc | undefined): Projection | undefined {
  const entries = Object.entries(projection ?? {}).map(([name, value]) => ({ name, isKept: readFlag(name, value) }));
  if (entries.length === 0) return undefined;
  const others = entries.filter(({ name }) => name !== '_id');
  const id = entries.find(({ name }) => name === '_id');
  const isInclusion = others[0]?.isKept ?? id?.isKept ?? false;
  const odd = others.find(({ isKept }) => isKept !== isInclusion);
  if (odd !== undefined) {
    const code = isInclusion ? 31254 : 31253;
    const [verb, kind] = isInclusion ? ['exclusion', 'inclusion'] : ['inclusion', 'exclusion'];
    throw new CommandError(code, `Cannot do ${verb} on field ${odd.name} in ${kind} projection`);
  }
  const names = new Set(others.map(({ name }) => name));
  const isIdKept = id?.isKept ?? true;
  const isKept = (name: string): boolean => (name === '_id' ? isIdKept : names.has(name) === isInclusion);
  return (doc) => Object.fromEntries(Object.entries(doc).filter(([name]) => isKept(name)));
}

function readFlag(name: string, value: unknown): boolean {
  const flag = typeof value === 'boolean' ? value : toNumber(value);
  if (flag === undefined || name.includes('$')) {
    const operator = isDoc(value) ? Object.keys(value)[0] : undefined;
    throw new CommandError(2, `Unsupported projection option: ${name}: ${operator ?? 'an expression'}`);
  }
  if (name.includes('.')) throw notImplemented(`a projection within a member: ${name}`);
  return Boolean(flag);
}
