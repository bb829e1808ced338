import { type Doc, hasOperators, isDoc, valueAt } from './documents.ts';
import { CommandError } from './errors.ts';
import { AFTER, encodeKey, typeOf } from './keys.ts';

/** One condition on one path. `{a: 1}` is `{path: 'a', operator: '$eq', keys: [the key of 1]}`. */
export interface Comparison {
  readonly path: string;
  readonly operator: string;
  readonly operand: unknown;
  /** The keys of its operands, ascending and without duplicates: any number for `$in`, one for the others. */
  readonly keys: readonly Buffer[];
}

/** An `$or`: all clauses of one branch must hold. */
interface Choice {
  readonly branches: readonly (readonly Clause[])[];
}

export type Clause = Comparison | Choice;
export type Predicate = (doc: Doc) => boolean;

export function isComparison(clause: Clause): clause is Comparison {
  return 'path' in clause;
}

/** The clauses of a filter, all of which must hold. @throws {CommandError} naming anything unknown. */
export function parseFilter(filter: Doc): Clause[] {
  return Object.entries(filter).flatMap(([name, value]): Clause[] => {
    if (name === '$and') return branchesOf(name, value).flat();
    if (name === '$or') return [{ branches: branchesOf(name, value) }];
    if (name.startsWith('$')) {
      throw new CommandError(2, `unknown top level operator: ${name} is not implemented by the embedded store`);
    }
    if (name.split('.').includes('__proto__')) {
      throw new CommandError(2, `a field cannot be named __proto__: ${name}`);
    }
    const conditions = isDoc(value) && hasOperators(value) ? value : { $eq: value };
    return Object.entries(conditions).map(([operator, operand]) => {
      return { path: name, operator, operand, keys: readKeys(operator, operand) };
    });
  });
}

function branchesOf(name: string, value: unknown): Clause[][] {
  if (!Array.isArray(value)) throw new CommandError(2, `${name} must be an array`);
  if (value.length === 0) throw new CommandError(2, '$and/$or must be a nonempty array');
  if (!value.every(isDoc)) throw new CommandError(2, '$or/$and entries need to be full objects');
  return value.map(parseFilter);
}

function readKeys(operator: string, operand: unknown): Buffer[] {
  if (!Object.hasOwn(TESTS, operator)) {
    throw new CommandError(2, `unknown operator: ${operator} is not implemented by the embedded store`);
  }
  if (operator === '$exists' && typeof operand !== 'boolean') throw new CommandError(2, '$exists needs true or false');
  if (operator !== '$in') return [encodeKey(operand)];
  if (!Array.isArray(operand)) throw new CommandError(2, '$in needs an array');
  const keys = operand.map(encodeKey).sort((a, b) => Buffer.compare(a, b));
  return keys.filter((key, at) => at === 0 || keys[at - 1]?.equals(key) === false);
}

export function predicateOf(clauses: readonly Clause[]): Predicate {
  const tests = clauses.map((clause) => (isComparison(clause) ? testOf(clause) : anyOf(clause)));
  return (doc) => tests.every((test) => test(doc));
}

function anyOf({ branches }: Choice): Predicate {
  const predicates = branches.map(predicateOf);
  return (doc) => predicates.some((holds) => holds(doc));
}

function testOf({ path, operator, operand, keys }: Comparison): Predicate {
  const test = TESTS[operator];
  if (test === undefined) throw new Error(`parseFilter lets no ${operator} through`);
  const holds = test(keys, operand);
  return (doc) => holds(valueAt(doc, path));
}

type Test = (value: unknown) => boolean;

/** The test that each operator makes of the value at its path, by the keys of its operand. */
const TESTS: Readonly<Record<string, (keys: readonly Buffer[], operand: unknown) => Test>> = {
  $eq: equals,
  $in: equals,
  $ne: (keys, operand) => not(equals(keys, operand)),
  $gt: ordered((order) => order > 0),
  $gte: ordered((order) => order >= 0),
  $lt: ordered((order) => order < 0),
  $lte: ordered((order) => order <= 0),
  $exists: (keys) => (value) => keys[0]?.equals(encodeKey(value !== undefined)) === true,
};

/** As in MongoDB, `1` equals `1.0`, null also equals a missing value, and an array equals whatever one of its elements does. */
function equals(keys: readonly Buffer[], operand: unknown): Test {
  if (typeof operand === 'string') return some((value) => value === operand);
  const types = new Set(keys.map(([type]) => type));
  const known = new Set(keys.map((key) => key.toString('latin1')));
  return some((value) => types.has(typeOf(value)) && known.has(encodeKey(value).toString('latin1')));
}

/** Ranges compare only values of the operand's own type; null has no order but equality. */
function ordered(accepts: (order: number) => boolean): (keys: readonly Buffer[]) => Test {
  return ([key = AFTER]) => some((value) => typeOf(value) === key[0] && accepts(Buffer.compare(encodeKey(value), key)));
}

function some(test: Test): Test {
  return (value) => (Array.isArray(value) ? (value as unknown[]).some(test) : test(value));
}

function not(test: Test): Test {
  return (value) => !test(value);
}
