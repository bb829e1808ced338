import { type Doc, isDoc, toNumber } from './documents.ts';
import { CommandError } from './errors.ts';
import { type Direction, encodeKey, invert } from './keys.ts';

/**
 * What a dotted path leads to. An array on the way stands for each of its documents, and a number picks one element, as in
 * MongoDB; so there may be several values. `undefined` is a path that leads nowhere.
 */
export function valuesAt(doc: unknown, path: string): unknown[] {
  if (!path.includes('.')) return [isDoc(doc) ? own(doc, path) : undefined];
  const found: unknown[] = [];
  walk(doc, path.split('.'), 0, found);
  return found;
}

/** Never something inherited: `constructor` is a name like any other. */
function own(doc: Doc, name: string): unknown {
  return Object.hasOwn(doc, name) ? doc[name] : undefined;
}

function walk(value: unknown, names: readonly string[], at: number, found: unknown[]): void {
  const name = names[at];
  if (name === undefined) {
    found.push(value);
  } else if (Array.isArray(value)) {
    if (/^\d+$/.test(name) && Number(name) < value.length) walk(value[Number(name)], names, at + 1, found);
    for (const element of value) if (isDoc(element)) walk(element, names, at, found);
  } else if (isDoc(value)) {
    walk(own(value, name), names, at + 1, found);
  } else {
    found.push(undefined);
  }
}

/** The values that a condition on this path is tried on: an array both whole and element by element. */
export function candidatesAt(doc: Doc, path: string): unknown[] {
  const values = valuesAt(doc, path);
  return values.some(Array.isArray)
    ? values.flatMap((value) => (Array.isArray(value) ? [...(value as unknown[]), value] : [value]))
    : values;
}

/** The value under an indexed path, or the array that stands in its way. */
export function indexedValue(doc: Doc, path: string): unknown {
  if (!path.includes('.')) return own(doc, path);
  let at: unknown = doc;
  for (const name of path.split('.')) {
    if (Array.isArray(at)) return at;
    at = isDoc(at) ? own(at, name) : undefined;
  }
  return at;
}

export interface SortField {
  readonly path: string;
  readonly direction: Direction;
}

/** Compares documents by these keys, byte by byte. An array sorts by its least element, or its greatest when descending. */
export function sortKey(doc: Doc, fields: readonly SortField[]): Buffer {
  return Buffer.concat(fields.map(({ path, direction }) => directed(doc, path, direction)));
}

function directed(doc: Doc, path: string, direction: Direction): Buffer {
  const values = valuesAt(doc, path).flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value]));
  const keys = (values.length === 0 ? [undefined] : values).map((value) => encodeKey(value));
  const key = keys.reduce((best, each) => (Buffer.compare(each, best) * direction < 0 ? each : best));
  return direction === 1 ? key : invert(key);
}

/** @throws {CommandError} when it is not `{path: 1 | -1, …}`. */
export function parseSort(sort: Doc | undefined): SortField[] {
  return Object.entries(sort ?? {}).map(([path, value]) => {
    const direction = toNumber(value);
    if (path.startsWith('$')) throw new CommandError(2, `FieldPath field names may not start with '$': ${path}`);
    if (direction !== 1 && direction !== -1) {
      throw new CommandError(15975, `$sort key ordering must be 1 or -1: ${path}`);
    }
    return { path, direction };
  });
}
