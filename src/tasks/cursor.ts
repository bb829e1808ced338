import mongoose, { type Types } from 'mongoose';
import { isTaskId } from './document.ts';
import { decodeOpaque, encodeOpaque } from './opaque.ts';

/** The place behind a task in a sorted list. A task that stays put is on the same side of it whatever comes and goes. */
export interface Cursor {
  /** As the client wrote it, such as `-date`: a place in one order means nothing in another. */
  sort: string;
  /** Milliseconds of the task's sort key; null when the task, one of the tutorial's, lacks it. */
  key: number | null;
  id: Types.ObjectId;
}

export function encodeCursor({ sort, key, id }: Cursor): string {
  return encodeOpaque([sort, key, id.toHexString()]);
}

/** Nothing when it is not, byte for byte, what `encodeCursor` makes. */
export function decodeCursor(text: string): Cursor | undefined {
  const [sort, key, id] = decodeOpaque(text);
  if (typeof sort !== 'string' || typeof id !== 'string' || !isTaskId(id)) return undefined;
  if (key !== null && !(typeof key === 'number' && isTime(key))) return undefined;
  const cursor = { sort, key, id: new mongoose.Types.ObjectId(id) };
  return encodeCursor(cursor) === text ? cursor : undefined;
}

function isTime(ms: number): boolean {
  return Number.isInteger(ms) && !Number.isNaN(new Date(ms).getTime());
}
