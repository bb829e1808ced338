import { BSONRegExp } from 'bson';
import { comparisons } from './comparisons.ts';
import { type Doc, hasOperators, isDoc } from './documents.ts';
import { CommandError } from './errors.ts';

/** One condition on one path, with its operator spelt out: `{a: 1}` is `{path: 'a', operator: '$eq', operand: 1}`. */
export interface Comparison {
  readonly path: string;
  readonly operator: string;
  readonly operand: unknown;
}

/** An `$or`: all clauses of one branch must hold. */
export interface Choice {
  readonly branches: readonly (readonly Clause[])[];
}

export type Clause = Comparison | Choice;
export type Predicate = (doc: Doc) => boolean;

export function isComparison(clause: Clause): clause is Comparison {
  return 'path' in clause;
}

/** The clauses of a filter, all of which must hold. @throws {CommandError} naming what this store does not understand. */
export function parseFilter(filter: Doc): Clause[] {
  return Object.entries(filter).flatMap(([name, value]): Clause[] => {
    if (name === '$and') return branchesOf(name, value).flat();
    if (name === '$or') return [{ branches: branchesOf(name, value) }];
    if (name === '$comment') return [];
    if (name.startsWith('$')) {
      throw new CommandError(2, `unknown top level operator: ${name} is not implemented by the embedded store`);
    }
    if (name.split('.').includes('__proto__')) {
      throw new CommandError(2, `a field cannot be named __proto__: ${name}`);
    }
    return conditionsOf(value).map(([operator, operand]) => ({ path: name, operator, operand }));
  });
}

export function predicateOf(clauses: readonly Clause[]): Predicate {
  const tests = clauses.map((clause) => (isComparison(clause) ? testOf(clause) : anyOf(clause)));
  return (doc) => tests.every((test) => test(doc));
}

function testOf({ path, operator, operand }: Comparison): Predicate {
  const compare = comparisons[operator];
  if (compare === undefined) throw new Error(`parseFilter lets no ${operator} through`);
  return compare(path, operand as never);
}

function anyOf({ branches }: Choice): Predicate {
  const predicates = branches.map(predicateOf);
  return (doc) => predicates.some((holds) => holds(doc));
}

function branchesOf(name: string, value: unknown): Clause[][] {
  if (!Array.isArray(value)) throw new CommandError(2, `${name} must be an array`);
  if (value.length === 0) throw new CommandError(2, '$and/$or must be a nonempty array');
  if (!value.every(isDoc)) throw new CommandError(2, '$or/$and entries need to be full objects');
  return value.map(parseFilter);
}

function conditionsOf(value: unknown): [operator: string, operand: unknown][] {
  if (value instanceof BSONRegExp) return [['$regex', toRegExp(value.pattern, value.options)]];
  if (!isDoc(value) || !hasOperators(value)) return [['$eq', value]];
  if (Object.hasOwn(value, '$options') && !Object.hasOwn(value, '$regex')) {
    throw new CommandError(2, '$options needs a $regex');
  }
  const operators = Object.entries(value).filter(([operator]) => operator !== '$options');
  return operators.map(([operator, operand]) => [operator, readOperand(operator, operand, value)]);
}

function readOperand(operator: string, operand: unknown, condition: Doc): unknown {
  if (operator === '$regex') return readRegex(operand, condition['$options']);
  if (!Object.hasOwn(comparisons, operator)) {
    throw new CommandError(2, `unknown operator: ${operator} is not implemented by the embedded store`);
  }
  if (operator === '$in' || operator === '$nin') checkList(operator, operand);
  if (operand instanceof BSONRegExp) {
    throw new CommandError(2, `Can't have RegEx as arg to predicate over field '${operator}'.`);
  }
  return operand;
}

function checkList(operator: string, operand: unknown): void {
  if (!Array.isArray(operand)) throw new CommandError(2, `${operator} needs an array`);
  for (const item of operand) {
    if (isDoc(item) && hasOperators(item)) throw new CommandError(2, `cannot nest $ under ${operator}`);
    if (item instanceof BSONRegExp) {
      throw new CommandError(2, `a regular expression in ${operator} is not implemented by the embedded store`);
    }
  }
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
