import { type Clause, type Comparison, isComparison } from './filter.ts';
import { encodeKey, TYPE, typeOf } from './keys.ts';

interface Bound {
  readonly key: Buffer;
  readonly isInclusive: boolean;
}

/** The values of one type, between two keys, that a filter allows on a path. */
export interface Interval {
  readonly type: number;
  readonly lower: Bound | undefined;
  readonly upper: Bound | undefined;
  /** The clauses that say no more than this interval does. */
  readonly decided: readonly Clause[];
}

const RANGE_OPERATORS = new Set(['$eq', '$gt', '$gte', '$lt', '$lte']);

/** Undefined when the clauses leave the path open. */
export function intervalOf(path: string, clauses: readonly Clause[]): Interval | undefined {
  let result: Interval | undefined;
  for (const clause of clauses) {
    const next = isComparison(clause) ? ofComparison(path, clause) : hull(path, clause.branches);
    if (next === undefined || (result !== undefined && next.type !== result.type)) continue;
    result = result === undefined ? next : intersect(result, next);
  }
  return result;
}

function ofComparison(path: string, clause: Comparison): Interval | undefined {
  if (clause.path !== path || !RANGE_OPERATORS.has(clause.operator)) return undefined;
  const type = typeOf(clause.operand);
  if (type === TYPE.array || (type === TYPE.null && clause.operator !== '$eq')) return undefined;
  const bound = { key: encodeKey(clause.operand), isInclusive: clause.operator !== '$gt' && clause.operator !== '$lt' };
  const hasLower = !clause.operator.startsWith('$lt');
  const hasUpper = !clause.operator.startsWith('$gt');
  return { type, lower: hasLower ? bound : undefined, upper: hasUpper ? bound : undefined, decided: [clause] };
}

/** What all branches of an `$or` have in common: a page's cursor `{$or: [{date: {$gt}}, {date, _id: {$gt}}]}` begins at its date. */
function hull(path: string, branches: readonly (readonly Clause[])[]): Interval | undefined {
  const parts = branches.map((branch) => intervalOf(path, branch));
  return parts.reduce((a, b) => {
    if (a === undefined || b === undefined || a.type !== b.type) return undefined;
    return {
      type: a.type,
      lower: a.lower && b.lower && (isLower(a.lower, b.lower) ? a.lower : b.lower),
      upper: a.upper && b.upper && (isHigher(a.upper, b.upper) ? a.upper : b.upper),
      decided: [], // an interval around all branches never decides between them
    };
  });
}

function intersect(a: Interval, b: Interval): Interval {
  return {
    type: a.type,
    lower: a.lower && b.lower ? (isLower(a.lower, b.lower) ? b.lower : a.lower) : (a.lower ?? b.lower),
    upper: a.upper && b.upper ? (isHigher(a.upper, b.upper) ? b.upper : a.upper) : (a.upper ?? b.upper),
    decided: [...a.decided, ...b.decided],
  };
}

/** Whether lower bound `a` lets in more than `b`. */
function isLower(a: Bound, b: Bound): boolean {
  const order = Buffer.compare(a.key, b.key);
  return order === 0 ? a.isInclusive : order < 0;
}

/** Whether upper bound `a` lets in more than `b`. */
function isHigher(a: Bound, b: Bound): boolean {
  const order = Buffer.compare(a.key, b.key);
  return order === 0 ? a.isInclusive : order > 0;
}
