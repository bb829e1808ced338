import { BSONRegExp } from 'bson';
import { Query } from 'mingo/query';
import { Context } from 'mingo/core';
import { $and, $nor, $not, $or } from 'mingo/operators/query/logical';
import { hasOperators, isDoc, type Doc } from './documents.ts';
import { CommandError } from './errors.ts';
import { comparisons } from './comparisons.ts';

/**
 * Filters. mingo puts conditions together ($and, $or, $nor, $not); the conditions themselves are ours (comparisons.ts), since mingo
 * neither orders ObjectIds and 64 bit integers as MongoDB does nor knows `$type`. Whatever is not listed here is refused by name.
 */

export type Predicate = (doc: Doc) => boolean;

const LOGICAL = new Set(['$and', '$or', '$nor']);
const CONTEXT = Context.init({ query: { $and, $or, $nor, $not, ...comparisons } });

/** @throws {CommandError} naming the operator that is unknown, or its malformed operand. */
export function compileFilter(filter: Doc): Predicate {
  return compileNormalized(normalizeFilter(filter));
}

export function compileNormalized(filter: Doc): Predicate {
  const query = new Query(filter, { context: CONTEXT, scriptEnabled: false });
  return (doc) => query.test(doc);
}

/** The same filter with every condition spelt as an operator: `{a: 1}` becomes `{a: {$eq: 1}}`. */
export function normalizeFilter(filter: Doc): Doc {
  const result: Doc = {};
  for (const [name, value] of Object.entries(filter)) {
    if (LOGICAL.has(name)) result[name] = normalizeBranches(name, value);
    else if (name.startsWith('$')) refuseTopLevel(name);
    else if (name.split('.').includes('__proto__'))
      throw new CommandError(2, `a field cannot be named __proto__: ${name}`);
    else result[name] = normalizeCondition(value);
  }
  return result;
}

function refuseTopLevel(name: string): void {
  if (name === '$comment') return;
  throw new CommandError(2, `unknown top level operator: ${name} is not implemented by the embedded store`);
}

function normalizeBranches(name: string, value: unknown): Doc[] {
  if (!Array.isArray(value)) throw new CommandError(2, `${name} must be an array`);
  if (value.length === 0) throw new CommandError(2, '$and/$or/$nor must be a nonempty array');
  if (!value.every(isDoc)) throw new CommandError(2, '$or/$and/$nor entries need to be full objects');
  return value.map(normalizeFilter);
}

function normalizeCondition(value: unknown): Doc {
  if (value instanceof BSONRegExp) return { $regex: toRegExp(value.pattern, value.options) };
  if (!isDoc(value) || !hasOperators(value)) return { $eq: value };
  const result: Doc = {};
  for (const [operator, operand] of Object.entries(value)) {
    if (operator !== '$options') result[operator] = normalizeOperand(operator, operand, value);
    else if (!Object.hasOwn(value, '$regex')) throw new CommandError(2, '$options needs a $regex');
  }
  return result;
}

function normalizeOperand(operator: string, operand: unknown, condition: Doc): unknown {
  if (operator === '$not') return normalizeNot(operand);
  if (operator === '$regex') return readRegex(operand, condition['$options']);
  if (!Object.hasOwn(comparisons, operator)) {
    throw new CommandError(2, `unknown operator: ${operator} is not implemented by the embedded store`);
  }
  if (operator === '$in' || operator === '$nin') return normalizeList(operator, operand);
  if (operand instanceof BSONRegExp && operator !== '$eq') {
    throw new CommandError(2, `Can't have RegEx as arg to predicate over field '${operator}'.`);
  }
  return operand;
}

function normalizeNot(operand: unknown): Doc {
  if (operand instanceof BSONRegExp) return normalizeCondition(operand);
  if (!isDoc(operand) || !hasOperators(operand)) {
    throw new CommandError(2, '$not needs a regex or a document of operators');
  }
  return normalizeCondition(operand);
}

function normalizeList(operator: string, operand: unknown): unknown[] {
  if (!Array.isArray(operand)) throw new CommandError(2, `${operator} needs an array`);
  return operand.map((item: unknown) => {
    if (item instanceof BSONRegExp) return toRegExp(item.pattern, item.options);
    if (isDoc(item) && hasOperators(item)) throw new CommandError(2, `cannot nest $ under ${operator}`);
    return item;
  });
}

function readRegex(operand: unknown, options: unknown): RegExp {
  if (options !== undefined && typeof options !== 'string') throw new CommandError(2, '$options has to be a string');
  if (operand instanceof BSONRegExp) return toRegExp(operand.pattern, options ?? operand.options);
  if (typeof operand !== 'string') throw new CommandError(2, '$regex has to be a string');
  return toRegExp(operand, options ?? '');
}

/** MongoDB's regular expressions are PCRE; what JavaScript does not understand is refused. */
function toRegExp(pattern: string, options: string): RegExp {
  if (!/^[ims]*$/.test(options)) throw new CommandError(51108, `invalid flag in regex options: ${options}`);
  const flags = [...new Set(options)].join('');
  // MongoDB matches characters, not UTF-16 units (`u`), but allows escapes that JavaScript refuses in that mode.
  for (const mode of ['u', '']) {
    try {
      return new RegExp(pattern, flags + mode);
    } catch {
      continue;
    }
  }
  throw new CommandError(51091, `Regular expression is invalid: ${pattern}`);
}

/** One condition on one path, out of a filter whose conditions must all hold. */
export interface Clause {
  readonly path: string;
  readonly operator: string;
  readonly operand: unknown;
}

/** Takes a normalized filter's `$and` apart. `$or` and `$nor` are kept whole, as clauses without a path. */
export function clausesOf(filter: Doc): Clause[] {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (name === '$and') return (value as Doc[]).flatMap(clausesOf);
    if (name.startsWith('$')) return [{ path: '', operator: name, operand: value }];
    return Object.entries(value as Doc).map(([operator, operand]) => ({ path: name, operator, operand }));
  });
}
