import { Binary, Double, Int32, Long, ObjectId, Timestamp } from 'bson';
import { type Doc, isDoc, toNumber } from './documents.ts';
import { CommandError } from './errors.ts';
import { encodeKey, TYPE, typeOf } from './keys.ts';
import { candidatesAt, valuesAt } from './paths.ts';

/** A condition that a filter may put on a path: path and operand in, predicate out. */
type Operator = (path: string, operand: never) => (doc: Doc) => boolean;
type Test = (value: unknown) => boolean;

/** Holds when it holds for what is at the path, or for an element of the array that is there. */
function some(testOf: (operand: never) => Test): Operator {
  return (path, operand) => {
    const test = testOf(operand);
    return (doc) => candidatesAt(doc, path).some(test);
  };
}

function not(operator: Operator): Operator {
  return (path, operand) => {
    const holds = operator(path, operand);
    return (doc) => !holds(doc);
  };
}

/** Equality as in MongoDB: `1` is `1.0`, and null is also what is missing. */
const $eq = some((operand: unknown) => {
  if (typeof operand === 'string') return (value) => value === operand;
  const key = encodeKey(operand);
  const type = typeOf(operand);
  return (value) => typeOf(value) === type && key.equals(encodeKey(value));
});

const $in = some((operand: unknown[]) => {
  const keys = new Set(operand.map((item) => encodeKey(item).toString('latin1')));
  return (value) => keys.has(encodeKey(value).toString('latin1'));
});

/** Ranges look only at values of the operand's own type; null has no order but equality. */
function ordered(accepts: (order: number) => boolean): Operator {
  return some((operand: unknown) => {
    const key = encodeKey(operand);
    const type = typeOf(operand);
    return (value) =>
      (value !== undefined || type === TYPE.null) &&
      typeOf(value) === type &&
      accepts(Buffer.compare(encodeKey(value), key));
  });
}

const $exists: Operator = (path, operand: unknown) => {
  const isWanted = operand !== false && operand !== null && toNumber(operand) !== 0;
  return (doc) => valuesAt(doc, path).some((value) => value !== undefined) === isWanted;
};

const TYPES: Readonly<Record<string, readonly [code: number, test: Test]>> = {
  double: [1, (value) => value instanceof Double],
  string: [2, (value) => typeof value === 'string'],
  object: [3, isDoc],
  array: [4, Array.isArray],
  binData: [5, (value) => value instanceof Binary],
  objectId: [7, (value) => value instanceof ObjectId],
  bool: [8, (value) => typeof value === 'boolean'],
  date: [9, (value) => value instanceof Date],
  null: [10, (value) => value === null],
  int: [16, (value) => value instanceof Int32],
  long: [18, (value) => value instanceof Long && !(value instanceof Timestamp)],
};

function typeTests(alias: unknown): Test[] {
  if (alias === 'number') return ['double', 'int', 'long'].flatMap(typeTests);
  const code = toNumber(alias);
  const found = Object.entries(TYPES).find(([name, [number]]) => name === alias || number === code);
  if (found === undefined) {
    throw new CommandError(2, `Unknown type name alias: ${String(alias)} is not implemented by the embedded store`);
  }
  return [found[1][1]];
}

const $type = some((operand: unknown) => {
  const tests = (Array.isArray(operand) ? (operand as unknown[]) : [operand]).flatMap(typeTests);
  return (value) => tests.some((test) => test(value));
});

const $regex = some((pattern: RegExp) => (value) => typeof value === 'string' && pattern.test(value));

export const comparisons: Readonly<Record<string, Operator>> = {
  $eq,
  $ne: not($eq),
  $in,
  $nin: not($in),
  $gt: ordered((order) => order > 0),
  $gte: ordered((order) => order >= 0),
  $lt: ordered((order) => order < 0),
  $lte: ordered((order) => order <= 0),
  $exists,
  $type,
  $regex,
};
