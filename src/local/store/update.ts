import { Decimal128, Double, Int32, Long } from 'bson';
import { type Doc, hasOperators, isDoc, toNumber } from './documents.ts';
import { CommandError, notImplemented } from './errors.ts';
import { encodeKey } from './keys.ts';
import { valuesAt } from './paths.ts';

/** Makes a new document out of the one found, or out of the beginnings of one that an upsert inserts. */
export interface Update {
  readonly isReplacement: boolean;
  apply(doc: Doc, isInsert: boolean): Doc;
}

type Operator = (doc: Doc, path: string, operand: unknown) => void;

// Not mingo's operators: those know neither 64 bit integers nor upserts, and take `{constructor: …}` for no document.
const OPERATORS: Readonly<Record<string, Operator>> = {
  $set: assign,
  $setOnInsert: assign,
  $unset: unset,
  $inc: increment,
};

/** @throws {CommandError} naming the operator or operand that this store does not understand. */
export function parseUpdate(update: unknown): Update {
  if (Array.isArray(update)) throw notImplemented('an update with an aggregation pipeline');
  if (!isDoc(update)) throw new CommandError(9, "Update argument must be either an object or an array: 'u'");
  if (!hasOperators(update)) return replacement(update);
  const changes = Object.entries(update).flatMap(([operator, fields]) => parseOperator(operator, fields));
  checkConflicts(changes.map(({ path }) => path));
  return {
    isReplacement: false,
    apply(doc, isInsert) {
      for (const { operator, path, operand } of changes) {
        if (operator === '$setOnInsert' && !isInsert) continue;
        if (path === '_id' && !isInsert) checkSameId(doc, operand);
        else OPERATORS[operator]?.(doc, path, operand);
      }
      return doc;
    },
  };
}

function replacement(update: Doc): Update {
  for (const name of Object.keys(update)) {
    if (name.startsWith('$')) {
      throw new CommandError(
        52,
        `The dollar ($) prefixed field '${name}' is not allowed in the context of an update's replacement document`,
      );
    }
  }
  return {
    isReplacement: true,
    apply(doc) {
      if (Object.hasOwn(update, '_id') && doc['_id'] !== undefined) checkSameId(doc, update['_id']);
      return doc['_id'] === undefined ? { ...update } : { ...update, _id: doc['_id'] };
    },
  };
}

interface Change {
  readonly operator: string;
  readonly path: string;
  readonly operand: unknown;
}

function parseOperator(operator: string, fields: unknown): Change[] {
  if (!Object.hasOwn(OPERATORS, operator)) {
    throw new CommandError(
      9,
      `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array; ` +
        `the embedded store implements ${Object.keys(OPERATORS).join(', ')}`,
    );
  }
  if (!isDoc(fields)) {
    throw new CommandError(9, `Modifiers operate on fields but we found another type instead: {${operator}: …}`);
  }
  return Object.entries(fields).map(([path, operand]) => {
    checkPath(path);
    if (operator === '$inc') checkNumeric(path, operand);
    return { operator, path, operand };
  });
}

function checkPath(path: string): void {
  for (const name of path.split('.')) {
    if (name === '') {
      throw new CommandError(56, `The update path '${path}' contains an empty field name, which is not allowed.`);
    }
    if (name.startsWith('$[') || name === '$') throw notImplemented(`the positional operator in '${path}'`);
    if (name.startsWith('$')) {
      throw new CommandError(52, `The dollar ($) prefixed field '${name}' in '${path}' is not allowed`);
    }
  }
}

function checkNumeric(path: string, operand: unknown): void {
  if (operand instanceof Decimal128) throw notImplemented('$inc by a decimal');
  if (toNumber(operand) === undefined) {
    throw new CommandError(14, `Cannot increment with non-numeric argument: {${path}: …}`);
  }
}

function checkConflicts(paths: readonly string[]): void {
  const taken: string[] = [];
  for (const path of paths) {
    const other = taken.find((each) => each === path || each.startsWith(`${path}.`) || path.startsWith(`${each}.`));
    if (other !== undefined) {
      throw new CommandError(40, `Updating the path '${path}' would create a conflict at '${other}'`);
    }
    taken.push(path);
  }
}

function checkSameId(doc: Doc, id: unknown): void {
  if (encodeKey(doc['_id']).equals(encodeKey(id))) return;
  throw new CommandError(66, "Performing an update on the path '_id' would modify the immutable field '_id'");
}

function assign(doc: Doc, path: string, value: unknown): void {
  checkViable(doc, path);
  setValue(doc, path, value);
}

function unset(doc: Doc, path: string): void {
  const { parent, name } = stepTo(doc, path, false);
  // Removing an element would move the others: MongoDB leaves a null in its place.
  if (Array.isArray(parent) && Number(name) < parent.length) parent[Number(name)] = null;
  else if (isDoc(parent)) Reflect.deleteProperty(parent, name);
}

function setValue(doc: Doc, path: string, value: unknown): void {
  const { parent, name } = stepTo(doc, path, true);
  if (parent !== undefined) define(parent, name, value);
}

/** Defined, not assigned: `__proto__` is a name like any other. */
function define(parent: Doc | unknown[], name: string, value: unknown): void {
  Object.defineProperty(parent, name, { value, writable: true, enumerable: true, configurable: true });
}

/** The document or array that holds the last name of a path; made on the way when `isMade`, else perhaps undefined. */
function stepTo(doc: Doc, path: string, isMade: boolean): { parent: Doc | unknown[] | undefined; name: string } {
  const names = path.split('.');
  const name = names.pop() ?? '';
  let parent: Doc | unknown[] | undefined = doc;
  for (const each of names) {
    if (parent === undefined) break;
    let next: unknown = Object.hasOwn(parent, each) ? (parent as Doc)[each] : undefined;
    if (next === undefined && isMade) {
      next = {};
      define(parent, each, next);
    }
    parent = isDoc(next) || Array.isArray(next) ? next : undefined;
  }
  return { parent, name };
}

/** @throws {CommandError} PathNotViable when something on the way is neither document nor array. */
function checkViable(doc: Doc, path: string): void {
  const names = path.split('.');
  let at: unknown = doc;
  for (const [depth, name] of names.slice(0, -1).entries()) {
    at = Array.isArray(at)
      ? (at as unknown[])[Number(name)]
      : Object.hasOwn(at as Doc, name)
        ? (at as Doc)[name]
        : undefined;
    if (at === undefined) return;
    const next = names[depth + 1] ?? '';
    if (isDoc(at) || (Array.isArray(at) && /^\d{1,7}$/.test(next))) continue;
    throw new CommandError(28, `Cannot create field '${next}' in element {${name}: …}`);
  }
}

function increment(doc: Doc, path: string, by: unknown): void {
  checkViable(doc, path);
  const current = valuesAt(doc, path)[0];
  if (current !== undefined && toNumber(current) === undefined) {
    throw new CommandError(14, `Cannot apply $inc to a value of non-numeric type: the field '${path}'`);
  }
  setValue(doc, path, current === undefined ? by : add(current, by));
}

/** An int stays an int until it overflows into a long; a double makes the sum a double. */
function add(a: unknown, b: unknown): Int32 | Long | Double {
  if (!isInteger(a) || !isInteger(b)) return new Double((toNumber(a) ?? 0) + (toNumber(b) ?? 0));
  const sum = BigInt(a.toString()) + BigInt(b.toString());
  if (sum !== BigInt.asIntN(64, sum)) {
    throw new CommandError(2, 'Failed to apply $inc operations to current value: overflow');
  }
  const isLong = a instanceof Long || b instanceof Long || sum !== BigInt.asIntN(32, sum);
  return isLong ? Long.fromBigInt(sum) : new Int32(Number(sum));
}

function isInteger(value: unknown): value is Int32 | Long {
  return value instanceof Int32 || value instanceof Long;
}

/** What an upsert begins with: the members that its filter compares for equality. */
export function seedOf(filter: Doc): Doc {
  const seed: Doc = {};
  for (const [path, value] of Object.entries(filter)) {
    if (path === '$and') for (const part of value as Doc[]) Object.assign(seed, seedOf(part));
    if (path.startsWith('$')) continue;
    if (!isDoc(value) || !hasOperators(value)) setValue(seed, path, value);
    else if (Object.hasOwn(value, '$eq')) setValue(seed, path, value['$eq']);
  }
  return seed;
}
