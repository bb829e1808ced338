import type { Collection, Index } from './catalog.ts';
import type { Doc } from './documents.ts';
import { type Clause, isComparison, parseFilter, type Predicate, predicateOf } from './filter.ts';
import { type Interval, intervalOf } from './intervals.ts';
import { AFTER, encodeKey, invert, TYPE, typeOf } from './keys.ts';
import type { SortField } from './paths.ts';
import type { Range } from './storage.ts';

/** How a query finds its documents. */
export interface Plan {
  readonly index: Index;
  /** Of keys of the index, apart from each other and ascending. */
  readonly ranges: readonly Range[];
  readonly isBackward: boolean;
  /** The documents come in the order asked for. */
  readonly isSorted: boolean;
  /** What the ranges do not decide; undefined when they decide everything, and no document has to be parsed. */
  readonly residual: Predicate | undefined;
  /** No index helps: the whole collection is read. */
  readonly isCollectionScan: boolean;
}

interface Candidate {
  readonly index: Index;
  /** For each leading field that is compared for equality: the clause, and the keys that it allows. */
  readonly points: readonly { clause: Clause; keys: readonly Buffer[] }[];
  readonly interval: Interval | undefined;
  readonly order: 'forward' | 'backward' | undefined;
  readonly score: number;
}

/** @throws {CommandError} for a filter that this store does not understand. */
export function planQuery(collection: Collection, filter: Doc, sort: readonly SortField[]): Plan {
  const clauses = parseFilter(filter);
  const best = collection.indexes
    .filter((index) => index.includes === undefined)
    .map((index) => rate(index, clauses, sort))
    // The first index is that of the ids, which holds everything: where none is better, all of it is read.
    .reduce((a, b) => (b.score > a.score ? b : a));
  const decided = new Set([...best.points.map(({ clause }) => clause), ...(best.interval?.decided ?? [])]);
  return {
    index: best.index,
    ranges: rangesOf(best),
    isBackward: best.order === 'backward',
    isSorted: best.order !== undefined,
    residual: residualOf(clauses, decided),
    isCollectionScan: best.score === 0,
  };
}

function residualOf(clauses: readonly Clause[], decided: ReadonlySet<Clause>): Predicate | undefined {
  const rest = clauses.filter((clause) => !decided.has(clause));
  return rest.length === 0 ? undefined : predicateOf(rest);
}

function rate(index: Index, clauses: readonly Clause[], sort: readonly SortField[]): Candidate {
  const points: { clause: Clause; keys: readonly Buffer[] }[] = [];
  let ranges = 1;
  for (const { path, direction } of index.fields) {
    const point = pointOf(path, clauses);
    if (point === undefined) break;
    // Two lists would multiply: the second is left to the filter.
    if (ranges > 1 && point.keys.length > 1) break;
    ranges *= point.keys.length;
    points.push(direction === 1 ? point : { ...point, keys: point.keys.map((key) => invert(key)) });
  }
  const next = index.fields[points.length];
  const interval = next === undefined ? undefined : intervalOf(next.path, clauses);
  const order = orderOf(index, points, sort);
  // Equality narrows best; then an order saves reading and sorting what a limit would leave out; then a range.
  const isUsable = points.length > 0 || interval !== undefined || (order !== undefined && sort.length > 0);
  const score =
    points.length * 8 + (order === undefined ? 0 : 4) + (interval === undefined ? 0 : 2) + (index.isUnique ? 1 : 0);
  return { index, points, interval, order, score: isUsable ? score : 0 };
}

/** The keys that an equality on this path allows. Arrays are not in indexes, so a comparison with one is left to the filter. */
function pointOf(path: string, clauses: readonly Clause[]): { clause: Clause; keys: Buffer[] } | undefined {
  for (const clause of clauses) {
    if (!isComparison(clause) || clause.path !== path) continue;
    if (clause.operator === '$eq' && isPoint(clause.operand)) return { clause, keys: [encodeKey(clause.operand)] };
    if (clause.operator !== '$in') continue;
    const operands = clause.operand as unknown[];
    if (!operands.every(isPoint)) continue;
    const keys = operands.map((operand) => encodeKey(operand)).sort((a, b) => Buffer.compare(a, b));
    return { clause, keys: keys.filter((key, at) => at === 0 || !keys[at - 1]?.equals(key)) };
  }
  return undefined;
}

function isPoint(operand: unknown): boolean {
  return typeOf(operand) !== TYPE.array;
}

/** Whether reading the index one way or the other gives the documents in the order asked for. */
function orderOf(
  index: Index,
  points: readonly { keys: readonly Buffer[] }[],
  sort: readonly SortField[],
): 'forward' | 'backward' | undefined {
  const several = points.findIndex(({ keys }) => keys.length > 1);
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

function rangesOf({ index, points, interval }: Candidate): Range[] {
  const prefixes = points
    .reduce<Buffer[]>(
      (done, { keys }) => done.flatMap((prefix) => keys.map((key) => Buffer.concat([prefix, key]))),
      [Buffer.alloc(0)],
    )
    .sort((a, b) => Buffer.compare(a, b));
  const { low, high } =
    interval === undefined ? EVERYTHING : boundsOf(interval, index.fields[points.length]?.direction);
  return prefixes.map((prefix) => ({ low: Buffer.concat([prefix, low]), high: Buffer.concat([prefix, high]) }));
}

const EVERYTHING = { low: Buffer.alloc(0), high: AFTER };

function boundsOf({ type, lower, upper }: Interval, direction: 1 | -1 | undefined): Range {
  if (direction === -1) {
    const first =
      upper === undefined ? Buffer.of(~type & 0xff) : edge(invert(Buffer.from(upper.key)), !upper.isInclusive);
    const last =
      lower === undefined ? Buffer.of((~type & 0xff) + 1) : edge(invert(Buffer.from(lower.key)), lower.isInclusive);
    return { low: first, high: last };
  }
  return {
    low: lower === undefined ? Buffer.of(type) : edge(lower.key, !lower.isInclusive),
    high: upper === undefined ? Buffer.of(type + 1) : edge(upper.key, upper.isInclusive),
  };
}

/** The bound before a key, or behind everything that begins with it. */
function edge(key: Buffer, isBehind: boolean): Buffer {
  return isBehind ? Buffer.concat([key, AFTER]) : key;
}
