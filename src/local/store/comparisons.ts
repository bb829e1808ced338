import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import { isDoc, toNumber, type Doc } from './documents.ts';
import { CommandError } from './errors.ts';
import { encodeKey, TYPE, typeOf } from './keys.ts';
import { candidatesAt, valuesAt } from './paths.ts';

/** The conditions that a filter may put on a path, in the form that mingo calls: path and operand in, predicate out. */

type Condition = (path: string, operand: never) => (doc: Doc) => boolean;
type Test = (value: unknown) => boolean;

/** Equality as in MongoDB: `1` is `1.0`, and null is also what is missing. */
function equals(operand: unknown): Test {
  if (typeof operand === 'string') return (value) => value === operand;
  const key = encodeKey(operand);
  const type = typeOf(operand);
  return (value) => typeOf(value) === type && key.equals(encodeKey(value));
}

/** Ranges look only at values of the operand's own type; null has no order but equality. */
function ordered(accepts: (order: number) => boolean): Condition {
  return (path, operand: unknown) => {
    const key = encodeKey(operand);
    const type = typeOf(operand);
    const spansTypes = type === TYPE.minKey || type === TYPE.maxKey;
    const test: Test = (value) =>
      (value !== undefined || type === TYPE.null) &&
      (spansTypes || typeOf(value) === type) &&
      accepts(Buffer.compare(encodeKey(value), key));
    return (doc) => candidatesAt(doc, path).some(test);
  };
}

function isMatch(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value);
}

const $eq: Condition = (path, operand: unknown) => {
  const test = equals(operand);
  return (doc) => candidatesAt(doc, path).some(test);
};

const $in: Condition = (path, operand: unknown[]) => {
  const keys = new Set(
    operand.filter((item) => !(item instanceof RegExp)).map((item) => encodeKey(item).toString('latin1')),
  );
  const patterns = operand.filter((item) => item instanceof RegExp);
  const test: Test = (value) =>
    keys.has(encodeKey(value).toString('latin1')) || patterns.some((pattern) => isMatch(pattern, value));
  return (doc) => candidatesAt(doc, path).some(test);
};

const $regex: Condition = (path, pattern: RegExp) => (doc) =>
  candidatesAt(doc, path).some((value) => isMatch(pattern, value));

const $exists: Condition = (path, operand: unknown) => {
  const wanted = operand !== false && operand !== null && toNumber(operand) !== 0;
  return (doc) => valuesAt(doc, path).some((value) => value !== undefined) === wanted;
};

const TYPES: Readonly<Record<string, readonly [code: number, test: Test]>> = {
  double: [1, (value) => value instanceof Double || typeof value === 'number'],
  string: [2, (value) => typeof value === 'string'],
  object: [3, isDoc],
  array: [4, Array.isArray],
  binData: [5, (value) => value instanceof Binary],
  objectId: [7, (value) => value instanceof ObjectId],
  bool: [8, (value) => typeof value === 'boolean'],
  date: [9, (value) => value instanceof Date],
  null: [10, (value) => value === null],
  regex: [11, (value) => value instanceof BSONRegExp],
  javascript: [13, (value) => value instanceof Code],
  symbol: [14, (value) => value instanceof BSONSymbol],
  int: [16, (value) => value instanceof Int32],
  timestamp: [17, (value) => value instanceof Timestamp],
  long: [18, (value) => value instanceof Long && !(value instanceof Timestamp)],
  decimal: [19, (value) => value instanceof Decimal128],
  minKey: [-1, (value) => value instanceof MinKey],
  maxKey: [127, (value) => value instanceof MaxKey],
};

const $type: Condition = (path, operand: unknown) => {
  const tests = (Array.isArray(operand) ? (operand as unknown[]) : [operand]).flatMap(typeTests);
  return (doc) => candidatesAt(doc, path).some((value) => tests.some((test) => test(value)));
};

function typeTests(alias: unknown): Test[] {
  if (alias === 'number') return ['double', 'int', 'long', 'decimal'].flatMap(typeTests);
  const code = toNumber(alias);
  const found = Object.entries(TYPES).find(([name, [number]]) => name === alias || number === code);
  if (found === undefined) throw new CommandError(2, `Unknown type name alias: ${String(alias)}`);
  return [found[1][1]];
}

const negate = (condition: Condition): Condition => {
  return (path, operand) => {
    const test = condition(path, operand);
    return (doc) => !test(doc);
  };
};

export const comparisons: Readonly<Record<string, Condition>> = {
  $eq,
  $ne: negate($eq),
  $in,
  $nin: negate($in),
  $gt: ordered((order) => order > 0),
  $gte: ordered((order) => order >= 0),
  $lt: ordered((order) => order < 0),
  $lte: ordered((order) => order <= 0),
  $exists,
  $type,
  $regex,
};
