/** Opaque texts: the place in a list that a page ends at, and what sync tokens are written with. */
import mongoose, { type Types } from 'mongoose';
import { isTaskId } from './document.ts';

/** The place behind a task in a sorted list. A task that stays put is on the same side of it whatever comes and goes. */
export interface Cursor {
  /** As the client wrote it, such as `-date`: a place in one order means nothing in another. */
  sort: string;
  /** The task's sort key: milliseconds, or its position; null when it has none. */
  key: number | string | null;
  id: Types.ObjectId;
}

export function encodeCursor({ sort, key, id }: Cursor): string {
  return encodeOpaque([sort, key, id.toHexString()]);
}

/** Nothing when it is not, byte for byte, what `encodeCursor` makes. */
export function decodeCursor(text: string): Cursor | undefined {
  const [sort, key, id] = decodeOpaque(text);
  if (typeof sort !== 'string' || typeof id !== 'string' || !isTaskId(id)) return undefined;
  if (key !== null && !(sort.endsWith('position') ? typeof key === 'string' : isTime(key))) return undefined;
  const cursor = { sort, key: key as Cursor['key'], id: new mongoose.Types.ObjectId(id) };
  return encodeCursor(cursor) === text ? cursor : undefined;
}

function isTime(ms: unknown): boolean {
  return typeof ms === 'number' && Number.isInteger(ms) && !Number.isNaN(new Date(ms).getTime());
}

/** How cursors and sync tokens are written: nothing that a client should look into. */
export function encodeOpaque(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * The parts again; none when the text is no such list. Several texts decode to the same parts: encode them again and
 * compare to be sure that this one is ours.
 */
export function decodeOpaque(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
