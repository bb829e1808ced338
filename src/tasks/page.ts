/** A page of tasks, and the opaque texts that say where the next one begins. */
import mongoose, { type Types } from 'mongoose';
import { isTaskId, taskJson, type TaskState } from './document.ts';

/** Bytes of JSON in one answer, unless its first task alone has more. A thousand tasks of ordinary length have a third of it. */
export const MAX_PAGE_BYTES = 1024 * 1024;
// Tasks that are asked for before it is known how large they are.
const FIRST = 25;

/** The tasks of one answer, as a JSON array on one line that ends before it becomes too large. */
export class Page {
  readonly tasks: TaskState[] = [];
  readonly #parts: string[] = [];
  readonly #limit: number;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get json(): string {
    return `[${this.#parts.join(',')}]`;
  }

  /** False, and nothing is added, when there is no room. */
  add(task: TaskState): boolean {
    if (this.tasks.length >= this.#limit) return false;
    const part = taskJson(task);
    const bytes = Buffer.byteLength(part) + 1;
    if (this.#bytes + bytes > MAX_PAGE_BYTES && this.tasks.length > 0) return false;
    this.#bytes += bytes;
    this.#parts.push(part);
    this.tasks.push(task);
    return true;
  }

  /** How many more to read: what there is room for if they are like those before, and one to see whether more follow. */
  get room(): number {
    const left = this.#limit - this.tasks.length + 1;
    if (this.tasks.length === 0) return Math.min(left, FIRST);
    return Math.min(left, Math.ceil((MAX_PAGE_BYTES - this.#bytes + 1) / (this.#bytes / this.tasks.length)));
  }
}

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
