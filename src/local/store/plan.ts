import type { Collection, Index } from './catalog.ts';
import type { Doc } from './documents.ts';
import { type Clause, type Comparison, isComparison, parseFilter, type Predicate, predicateOf } from './filter.ts';
import { AFTER, type Direction, type Field, invert, TYPE } from './keys.ts';
import type { Range } from './storage.ts';

/** How a query finds its documents. */
export interface Plan {
  readonly index: Index;
  /** Of keys of the index, disjoint and ascending. */
  readonly ranges: readonly Range[];
  readonly isBackward: boolean;
  /** The documents come in the requested order. */
  readonly isSorted: boolean;
  /** What the ranges do not decide; undefined if they decide everything, so that no document has to be parsed. */
  readonly residual: Predicate | undefined;
  /** No index helps: the whole collection is read. */
  readonly isCollectionScan: boolean;
}

interface Candidate {
  readonly index: Index;
  /** For each leading field that is compared for equality: the clause that does. */
  readonly points: readonly Comparison[];
  /** The bounds of the next field. */
  readonly bounds: Bounds<Comparison>;
  readonly order: 'forward' | 'backward' | undefined;
  readonly score: number;
}

type Bound = Pick<Comparison, 'operator' | 'keys'>;

interface Bounds<B = Bound> {
  readonly lower?: B | undefined;
  readonly upper?: B | undefined;
}

/** @throws {CommandError} for an unknown filter. */
export function planQuery(collection: Collection, filter: Doc, sort: readonly Field[]): Plan {
  const clauses = parseFilter(filter);
  const best = collection.indexes
    .filter((index) => index.includes === undefined)
    .map((index) => rate(index, clauses.filter(isComparison), sort))
    // The first index is that of the ids, which holds everything: if none is better, all of it is read.
    .reduce((a, b) => (b.score > a.score ? b : a));
  const decided = new Set<Clause | undefined>([...best.points, best.bounds.lower, best.bounds.upper]);
  const rest = clauses.filter((clause) => !decided.has(clause));
  return {
    index: best.index,
    ranges: rangesOf(best),
    isBackward: best.order === 'backward',
    isSorted: best.order !== undefined,
    residual: rest.length === 0 ? undefined : predicateOf(rest),
    isCollectionScan: best.score === 0,
  };
}

function rate(index: Index, comparisons: readonly Comparison[], sort: readonly Field[]): Candidate {
  const points: Comparison[] = [];
  for (const { path } of index.fields) {
    const point = comparisons.find((one) => one.path === path && ['$eq', '$in'].includes(one.operator));
    // Two lists would multiply, so the second is left to the filter.
    if (point === undefined || (isList(point) && points.some(isList))) break;
    points.push(point);
  }
  const next = index.fields[points.length];
  const bounds = next === undefined ? {} : boundsOf(next.path, comparisons);
  const hasBounds = (bounds.lower ?? bounds.upper) !== undefined;
  const order = orderOf(index, points, sort);
  // Equality narrows best; then an order saves reading and sorting what a limit would leave out; then a range.
  const isUsable = points.length > 0 || hasBounds || (order !== undefined && sort.length > 0);
  const score = points.length * 8 + (order === undefined ? 0 : 4) + (hasBounds ? 2 : 0) + (index.isUnique ? 1 : 0);
  return { index, points, bounds, order, score: isUsable ? score : 0 };
}

function isList({ keys }: Comparison): boolean {
  return keys.length > 1;
}

/** Of one type, since values of another type are elsewhere. Null has no range. */
function boundsOf(path: string, comparisons: readonly Comparison[]): Bounds<Comparison> {
  const all = comparisons.filter((one) => one.path === path && /^\$[gl]te?$/.test(one.operator));
  const type = all.map(typeOfKey).find((each) => each !== TYPE.null);
  const bounds = all.filter((one) => typeOfKey(one) === type);
  return {
    lower: bounds.find(({ operator }) => operator.startsWith('$g')),
    upper: bounds.find(({ operator }) => operator.startsWith('$l')),
  };
}

function typeOfKey({ keys }: Bound): number {
  return keys[0]?.[0] ?? TYPE.null;
}

/** Whether reading the index forwards or backwards gives the documents in the requested order. */
function orderOf(index: Index, points: readonly Comparison[], sort: readonly Field[]): Candidate['order'] {
  const several = points.findIndex(isList);
  const fixed = several === -1 ? points.length : several;
  const fixedPaths = new Set(index.fields.slice(0, fixed).map(({ path }) => path));
  const wanted = sort.filter(({ path }) => !fixedPaths.has(path));
  const turns = wanted.map(({ path, direction }, at) => {
    const field = index.fields[fixed + at];
    return field?.path === path ? field.direction * direction : 0;
  });
  if (turns.every((turn) => turn === 1)) return 'forward';
  return turns.every((turn) => turn === -1) ? 'backward' : undefined;
}

function rangesOf({ index, points, bounds }: Candidate): Range[] {
  let prefixes = [Buffer.alloc(0)];
  for (const [at, { keys }] of points.entries()) {
    const directed = keys.map((key) => turned(key, index.fields[at]?.direction));
    prefixes = prefixes.flatMap((prefix) => directed.map((key) => Buffer.concat([prefix, key])));
  }
  const { low, high } = rangeOf(bounds, index.fields[points.length]?.direction);
  return prefixes
    .sort((a, b) => Buffer.compare(a, b))
    .map((prefix) => ({ low: Buffer.concat([prefix, low]), high: Buffer.concat([prefix, high]) }));
}

/** The keys of one field between its bounds. */
export function rangeOf({ lower, upper }: Bounds, direction: Direction = 1): Range {
  const [first, last] = direction === 1 ? [lower, upper] : [upper, lower];
  const bound = first ?? last;
  if (bound === undefined) return { low: Buffer.alloc(0), high: AFTER };
  const [type = 0] = turned(Buffer.of(typeOfKey(bound)), direction);
  return {
    low: first === undefined ? Buffer.of(type) : edge(first, direction, isStrict(first)),
    high: last === undefined ? Buffer.of(type + 1) : edge(last, direction, !isStrict(last)),
  };
}

function isStrict({ operator }: Bound): boolean {
  return operator === '$gt' || operator === '$lt';
}

/** The bound before a key, or after everything that begins with it. */
function edge({ keys: [key = AFTER] }: Bound, direction: Direction, isBehind: boolean): Buffer {
  return Buffer.concat([turned(key, direction), ...(isBehind ? [AFTER] : [])]);
}

function turned(key: Buffer, direction: Direction | undefined): Buffer {
  return direction === -1 ? invert(Buffer.from(key)) : key;
}
