import { randomBytes } from 'node:crypto';
import { Long } from 'bson';
import { CommandError } from './errors.ts';

/** Documents that wait for the client's next `getMore`. */
interface OpenCursor {
  readonly ns: string;
  readonly documents: Iterator<Uint8Array>;
  /** The document that did not fit into the last batch. */
  next: Uint8Array | undefined;
  lastUsed: number;
}

export interface Batch {
  readonly documents: Uint8Array[];
  /** 0 when there are no more. */
  readonly cursorId: Long;
}

// MongoDB's own: cursors that nobody asks for are closed after ten minutes.
const IDLE_MS = 10 * 60 * 1000;
// A type, an index of up to six digits, its end: what a document costs besides itself.
const ELEMENT_BYTES = 8;
const MAX_CURSORS = 1000;
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
export const FIRST_BATCH = 101;

export class Cursors {
  readonly #open = new Map<string, OpenCursor>();

  /** The first batch. A cursor is kept only if there is more and it may be kept. */
  open(ns: string, documents: Iterator<Uint8Array>, size: number, isSingleBatch: boolean, now: number): Batch {
    const cursor: OpenCursor = { ns, documents, next: take(documents), lastUsed: now };
    const batch = fill(cursor, size);
    if (cursor.next === undefined || isSingleBatch) return { documents: batch, cursorId: Long.ZERO };
    this.#forgetIdle(now);
    const id = Long.fromBigInt(randomBytes(8).readBigInt64BE() | 1n);
    this.#open.set(id.toString(), cursor);
    return { documents: batch, cursorId: id };
  }

  /** @throws {CommandError} CursorNotFound. `size` 0: as many as fit. */
  more(id: Long, ns: string, size: number, now: number): Batch {
    const cursor = this.#open.get(id.toString());
    if (cursor?.ns !== ns) throw new CommandError(43, `cursor id ${id.toString()} not found`);
    cursor.lastUsed = now;
    const documents = fill(cursor, size === 0 ? Infinity : size);
    if (cursor.next === undefined) this.#open.delete(id.toString());
    return { documents, cursorId: cursor.next === undefined ? Long.ZERO : id };
  }

  /** Whether there was one. */
  kill(id: Long): boolean {
    return this.#open.delete(id.toString());
  }

  /** Those that read what is about to be dropped: half an answer would look like a whole one. */
  closeOf(ns: string): void {
    for (const [id, cursor] of this.#open) if (cursor.ns === ns) this.#open.delete(id);
  }

  #forgetIdle(now: number): void {
    for (const [id, { lastUsed }] of this.#open) {
      if (now - lastUsed > IDLE_MS || this.#open.size >= MAX_CURSORS) this.#open.delete(id);
    }
  }
}

function take(documents: Iterator<Uint8Array>): Uint8Array | undefined {
  const result = documents.next();
  return result.done === true ? undefined : result.value;
}

function fill(cursor: OpenCursor, size: number): Uint8Array[] {
  const batch: Uint8Array[] = [];
  let bytes = 0;
  while (cursor.next !== undefined && batch.length < size) {
    bytes += cursor.next.length + ELEMENT_BYTES;
    if (bytes > MAX_BATCH_BYTES && batch.length > 0) break;
    batch.push(cursor.next);
    cursor.next = take(cursor.documents);
  }
  return batch;
}
