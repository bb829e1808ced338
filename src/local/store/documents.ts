import { deserialize, Double, Int32, Long, serialize } from 'bson';
import { CommandError, notImplemented } from './errors.ts';

/** A BSON document in memory. Numbers are instances of their exact BSON type, so that rewriting it changes no type. */
export type Doc = Record<string, unknown>;

export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

const EXACT = { promoteValues: false, promoteBuffers: false, bsonRegExp: true } as const;

/** @throws {BSONError} when the bytes are not valid BSON. */
export function decode(bytes: Uint8Array, rawArray?: string): Doc {
  const options = rawArray === undefined ? EXACT : { ...EXACT, fieldsAsRaw: { [rawArray]: true } };
  return deserialize(bytes, options);
}

// MongoDB's own limit. Deeper ones would also overflow the stack of recursive code.
const MAX_DEPTH = 200;

/** Parses what a client sent. @throws {CommandError} Overflow when it is nested too deep; {BSONError} when it is not valid BSON. */
export function decodeForeign(bytes: Uint8Array, rawArray?: string): Doc {
  const doc = decode(bytes, rawArray);
  checkDepth(doc, 0);
  return doc;
}

function checkDepth(value: object, depth: number): void {
  if (depth > MAX_DEPTH) throw new CommandError(15, `BSON document exceeds the depth limit of ${MAX_DEPTH}`);
  for (const member of Array.isArray(value) ? (value as unknown[]) : Object.values(value)) {
    if (Array.isArray(member) || isDoc(member)) checkDepth(member, depth + 1);
  }
}

export function encode(doc: Doc): Uint8Array {
  return serialize(doc, { ignoreUndefined: false });
}

export function isDoc(value: unknown): value is Doc {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** The value at a path (`a` or `a.b`), or undefined. @throws {CommandError} NotImplemented for a path through an array. */
export function valueAt(doc: Doc, path: string): unknown {
  if (!path.includes('.')) return own(doc, path);
  return path.split('.').reduce<unknown>((at, name) => {
    if (Array.isArray(at)) throw notImplemented(`a path through an array: ${path}`);
    return isDoc(at) ? own(at, name) : undefined;
  }, doc);
}

/** Never an inherited member: `constructor` is a name like any other. */
function own(doc: Doc, name: string): unknown {
  return Object.hasOwn(doc, name) ? doc[name] : undefined;
}

/** Whether a document consists of operators (`{$set: …}`, `{$gt: …}`). */
export function hasOperators(doc: Doc): boolean {
  return Object.keys(doc)[0]?.startsWith('$') === true;
}

/** The JavaScript number of a BSON number; undefined for anything else. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (value instanceof Int32 || value instanceof Double) return value.value;
  if (value instanceof Long) return value.toNumber();
  return undefined;
}

/** `{cursor: {...head, [name]: documents}, ok: 1}`: the answer of every command that returns documents, copied as bytes. */
export function encodeCursor(head: Doc, name: string, documents: readonly Uint8Array[]): Uint8Array {
  const array = framed(documents.flatMap((bytes, at) => [Buffer.from(`\x03${at}\0`, 'latin1'), bytes]));
  const members = encode(head).subarray(4, -1);
  const cursor = framed([members, Buffer.from(`\x04${name}\0`, 'latin1'), array]);
  return framed([Buffer.from('\x03cursor\0', 'latin1'), cursor, Buffer.from('\x01ok\0\0\0\0\0\0\0\xf0\x3f', 'latin1')]);
}

/** A BSON document or array with these members: its length, the members, a zero. */
function framed(members: readonly Uint8Array[]): Buffer {
  const whole = Buffer.concat([Buffer.alloc(4), ...members, Buffer.alloc(1)]);
  whole.writeInt32LE(whole.length);
  return whole;
}
