import mongoose, { type Types } from 'mongoose';

/** The place behind a task in a sorted list. A task that stays put is on the same side of it whatever comes and goes. */
export interface Cursor {
  /** As the client wrote it, such as `-date`: a place in one order means nothing in another. */
  sort: string;
  /** Milliseconds of the task's sort key; null when the task, one of the tutorial's, lacks it. */
  key: number | null;
  id: Types.ObjectId;
}

const HEX_ID = /^[0-9a-f]{24}$/;

export function encodeCursor({ sort, key, id }: Cursor): string {
  return Buffer.from(JSON.stringify([sort, key, id.toHexString()])).toString('base64url');
}

/** Nothing when it is not, byte for byte, what `encodeCursor` makes. */
export function decodeCursor(text: string): Cursor | undefined {
  const parts = parse(text);
  if (parts?.length !== 3) return undefined;
  const [sort, key, id] = parts;
  if (typeof sort !== 'string' || typeof id !== 'string' || !HEX_ID.test(id)) return undefined;
  if (key !== null && !(typeof key === 'number' && isTime(key))) return undefined;
  const cursor = { sort, key, id: new mongoose.Types.ObjectId(id) };
  return encodeCursor(cursor) === text ? cursor : undefined;
}

function isTime(ms: number): boolean {
  return Number.isInteger(ms) && !Number.isNaN(new Date(ms).getTime());
}

function parse(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
