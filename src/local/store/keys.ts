import { Double, Int32, Long, ObjectId, Timestamp } from 'bson';
import { type Doc, isDoc, toNumber, valueAt } from './documents.ts';
import { notImplemented } from './errors.ts';

/**
 * Order-preserving keys: the bytes of two keys compare like their values in MongoDB's BSON order, and equal values have equal
 * bytes (`1` and `1.0`, too). No key is a prefix of another of the same field, so keys of several fields are
 * simply joined. Each value starts with a byte for its place among the types; steps of 8 leave room for bounds between them.
 */

export type Direction = 1 | -1;

/** What an index or a sort orders by. */
export interface Field {
  readonly path: string;
  readonly direction: Direction;
}

/** Documents and arrays have a place among the types, but no keys. */
export const TYPE = {
  null: 0x10,
  number: 0x18,
  string: 0x20,
  object: 0x28,
  array: 0x30,
  objectId: 0x40,
  boolean: 0x48,
  date: 0x50,
} as const;

/** Beyond every continuation of a key: types end at 0x50, or at 0xef if a descending field inverts them. */
export const AFTER = Buffer.from([0xff]);

/** @throws {CommandError} NotImplemented for what is not compared here (decimals, binary data, regular expressions). */
export function typeOf(value: unknown): number {
  if (value === null || value === undefined) return TYPE.null;
  if (typeof value === 'string') return TYPE.string;
  if (typeof value === 'number' || value instanceof Int32 || value instanceof Double) return TYPE.number;
  if (typeof value === 'boolean') return TYPE.boolean;
  if (value instanceof Date) return TYPE.date;
  if (value instanceof ObjectId) return TYPE.objectId;
  if (Array.isArray(value)) return TYPE.array;
  // A Timestamp is a Long in JavaScript, but not a number in MongoDB.
  if (value instanceof Long && !(value instanceof Timestamp)) return TYPE.number;
  if (isDoc(value)) return TYPE.object;
  throw notImplemented(`comparing a value of type ${bsonName(value)}`);
}

function bsonName(value: unknown): string {
  const name = (value as { _bsontype?: unknown })._bsontype;
  return typeof name === 'string' ? name : typeof value;
}

let scratch = Buffer.allocUnsafe(4096);
let length = 0;

function reserve(bytes: number): void {
  if (length + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafe(Math.max(scratch.length * 2, length + bytes));
  scratch.copy(larger, 0, 0, length);
  scratch = larger;
}

/** The key of one value, ascending. @throws {CommandError} NotImplemented for a value that has none. */
export function encodeKey(value: unknown): Buffer {
  length = 0;
  write(value);
  return Buffer.from(scratch.subarray(0, length));
}

/** The key of a document's fields, each in its direction. @throws {CommandError} NotImplemented for a value that has none. */
export function encodeKeys(doc: Doc, fields: readonly Field[]): Buffer {
  length = 0;
  for (const { path, direction } of fields) {
    const start = length;
    write(valueAt(doc, path));
    if (direction === -1) invert(scratch, start, length);
  }
  return Buffer.from(scratch.subarray(0, length));
}

/** Turns an ascending key into a descending one in place, and back. */
export function invert(bytes: Buffer, start = 0, end = bytes.length): Buffer {
  for (let at = start; at < end; at++) bytes[at] = ~(bytes[at] ?? 0) & 0xff;
  return bytes;
}

function write(value: unknown): void {
  const type = typeOf(value);
  byte(type);
  if (type === TYPE.string) text(String(value));
  else if (type === TYPE.number) number(value);
  else if (type === TYPE.objectId) raw((value as ObjectId).id);
  else if (type === TYPE.date) double((value as Date).getTime());
  else if (type === TYPE.boolean) byte(value === true ? 1 : 0);
  else if (type !== TYPE.null) throw notImplemented(`comparing an ${type === TYPE.array ? 'array' : 'object'}`);
}

function byte(value: number): void {
  reserve(1);
  scratch[length++] = value;
}

function raw(bytes: Uint8Array): void {
  reserve(bytes.length);
  scratch.set(bytes, length);
  length += bytes.length;
}

/** UTF-8, ended by two zeros; a zero within is followed by 0xff, so that the end sorts before it. */
function text(value: string): void {
  for (const [at, part] of value.split('\0').entries()) {
    if (at > 0) raw(Uint8Array.of(0, 0xff));
    reserve(part.length * 3);
    length += scratch.write(part, length);
  }
  raw(Uint8Array.of(0, 0));
}

/** The nearest double, then how far a 64 bit integer is from it, so that integers beyond 2^53 keep apart. */
function number(value: unknown): void {
  const nearest = toNumber(value) ?? 0;
  double(nearest);
  reserve(2);
  const distance = value instanceof Long ? Number(value.toBigInt() - BigInt(nearest)) : 0;
  length = scratch.writeUInt16BE(distance + 0x8000, length);
}

/** IEEE 754 bits in an order that sorts: NaN first, then negative ones inverted, then positive ones. */
function double(value: number): void {
  reserve(8);
  if (Number.isNaN(value)) {
    scratch.fill(0, length, length + 8);
  } else {
    scratch.writeDoubleBE(value === 0 ? 0 : value, length);
    if (value < 0) invert(scratch, length, length + 8);
    else scratch[length] = (scratch[length] ?? 0) | 0x80;
  }
  length += 8;
}
