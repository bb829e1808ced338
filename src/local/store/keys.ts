import { Double, Int32, Long, ObjectId, Timestamp } from 'bson';
import { isDoc } from './documents.ts';
import { notImplemented } from './errors.ts';

/**
 * Order-preserving keys: comparing the bytes of two keys is comparing their values in MongoDB's BSON order, and equal bytes are
 * equal values (`1` and `1.0` alike). No key is the beginning of another one of the same field, so keys of several fields are
 * simply joined. Each value starts with a byte for its place among the types; a step of 8 leaves room for bounds between them.
 */

export type Direction = 1 | -1;

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

/** Beyond every continuation of a key: types end at 0x50, or at 0xef when a descending field inverts them. */
export const AFTER = Buffer.from([0xff]);

/** @throws {CommandError} NotImplemented for a type that has no key here (decimals, binary data, regular expressions). */
export function typeOf(value: unknown): number {
  if (value === null || value === undefined) return TYPE.null;
  if (typeof value === 'string') return TYPE.string;
  if (typeof value === 'number' || value instanceof Int32 || value instanceof Double) return TYPE.number;
  if (typeof value === 'boolean') return TYPE.boolean;
  if (value instanceof Date) return TYPE.date;
  if (value instanceof ObjectId) return TYPE.objectId;
  if (Array.isArray(value)) return TYPE.array;
  // A Timestamp is a Long to JavaScript, and no number to MongoDB.
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

/** The key of one value, ascending. */
export function encodeKey(value: unknown): Buffer {
  length = 0;
  write(value);
  return Buffer.from(scratch.subarray(0, length));
}

/** The key of several fields, each in its direction. */
export function encodeKeys(values: readonly unknown[], directions: readonly Direction[]): Buffer {
  length = 0;
  values.forEach((value, index) => {
    const start = length;
    write(value);
    if (directions[index] === -1) invert(scratch, start, length);
  });
  return Buffer.from(scratch.subarray(0, length));
}

/** Turns an ascending key into a descending one in place, and back. */
export function invert(bytes: Buffer, start = 0, end = bytes.length): Buffer {
  for (let at = start; at < end; at++) bytes[at] = ~(bytes[at] ?? 0) & 0xff;
  return bytes;
}

function byte(value: number): void {
  reserve(1);
  scratch[length++] = value;
}

function write(value: unknown): void {
  const type = typeOf(value);
  byte(type);
  if (type === TYPE.string) text(String(value));
  else if (type === TYPE.number) number(value);
  else if (type === TYPE.objectId) raw((value as ObjectId).id);
  else if (type === TYPE.date) double((value as Date).getTime());
  else if (type === TYPE.boolean) byte(value === true ? 1 : 0);
  else if (type === TYPE.object) object(value as Record<string, unknown>);
  else if (type === TYPE.array) array(value as unknown[]);
}

function raw(bytes: Uint8Array): void {
  reserve(bytes.length);
  scratch.set(bytes, length);
  length += bytes.length;
}

/** UTF-8, ended by two zeros; a zero within is followed by 0xff, so that the end sorts before it. */
function text(value: string): void {
  const bytes = Buffer.from(value, 'utf8');
  if (!bytes.includes(0)) raw(bytes);
  else for (const each of bytes) raw(each === 0 ? Uint8Array.of(0, 0xff) : Uint8Array.of(each));
  raw(Uint8Array.of(0, 0));
}

/** The nearest double, then how far a 64 bit integer is from it, so that integers beyond 2^53 keep apart. */
function number(value: unknown): void {
  if (!(value instanceof Long)) {
    double(typeof value === 'number' ? value : (value as Int32 | Double).value);
    integer16(0);
    return;
  }
  const nearest = value.toNumber();
  double(nearest);
  integer16(Number(value.toBigInt() - BigInt(nearest)));
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

function integer16(value: number): void {
  reserve(2);
  length = scratch.writeUInt16BE(value + 0x8000, length);
}

/** Member by member: its type, its name, its value (MongoDB compares in that order). */
function object(value: Record<string, unknown>): void {
  for (const [name, member] of Object.entries(value)) {
    byte(typeOf(member));
    text(name);
    write(member);
  }
  byte(0);
}

function array(value: readonly unknown[]): void {
  value.forEach(write);
  byte(0);
}
