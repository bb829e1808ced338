import { deserialize, Double, Int32, Long, serialize } from 'bson';
import { CommandError } from './errors.ts';

/** A BSON document in memory, with numbers as the classes of their exact BSON type, so that rewriting it changes no type. */
export type Doc = Record<string, unknown>;

export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

const EXACT = { promoteValues: false, promoteBuffers: false, bsonRegExp: true } as const;

/** @throws {BSONError} when the bytes are not valid BSON. */
export function decode(bytes: Uint8Array, rawArray?: string): Doc {
  const options = rawArray === undefined ? EXACT : { ...EXACT, fieldsAsRaw: { [rawArray]: true } };
  return deserialize(bytes, options);
}

// MongoDB's own limit. What is deeper would also overflow the stack of whatever walks it.
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

/** Whether a document says what to do (`{$set: …}`, `{$gt: …}`) rather than what there is. */
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

/** A member of a document whose bytes are already there, or are worth keeping out of the serializer: an array of documents. */
export interface RawArray {
  readonly name: string;
  readonly documents: readonly Uint8Array[];
}

/** `{...head, [array.name]: [array.documents]}` as BSON, copying the documents' bytes instead of parsing them. */
function encodeWithArray(head: Doc, array: RawArray): Uint8Array {
  const start = encode(head);
  const items = array.documents.map((bytes, index) => [Buffer.from(`\x03${index}\0`, 'latin1'), bytes]).flat();
  const itemBytes = items.reduce((sum, item) => sum + item.length, 0);
  const name = Buffer.from(`\x04${array.name}\0`, 'latin1');
  const arrayLength = 4 + itemBytes + 1;
  const whole = Buffer.allocUnsafe(start.length + name.length + arrayLength);
  let at = start.length - 1; // over the terminator of the head, which goes to the very end
  whole.set(start.subarray(0, at), 0);
  at += name.copy(whole, at);
  at = whole.writeInt32LE(arrayLength, at);
  for (const item of items) {
    whole.set(item, at);
    at += item.length;
  }
  whole.fill(0, at);
  whole.writeInt32LE(whole.length, 0);
  return whole;
}

/** `{name: {...head, [array.name]: documents}, ok: 1}`: the answer of every command that returns a cursor. */
export function encodeCursor(head: Doc, array: RawArray): Uint8Array {
  const inner = encodeWithArray(head, array);
  const prefix = Buffer.from('\0\0\0\0\x03cursor\0', 'latin1');
  const suffix = Buffer.from('\x01ok\0\0\0\0\0\0\0\xf0\x3f\0', 'latin1');
  const whole = Buffer.concat([prefix, inner, suffix]);
  whole.writeInt32LE(whole.length, 0);
  return whole;
}
