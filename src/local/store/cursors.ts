import { randomBytes } from 'node:crypto';
import { Long } from 'bson';
import type { Steps } from './commands/command.ts';
import { CommandError } from './errors.ts';

/** What a client's next `getMore` gets. */
interface Cursor {
  readonly ns: string;
  readonly pages: Iterator<Uint8Array[]>;
  /** The document that did not fit into the last batch. */
  waiting: Uint8Array[];
  isAtEnd: boolean;
  lastUsed: number;
}

export interface Batch {
  readonly documents: Uint8Array[];
  /** 0 when there are no more. */
  readonly cursorId: Long;
}

// As in MongoDB, idle cursors are closed after ten minutes.
const IDLE_MS = 10 * 60 * 1000;
// What a document costs besides itself: a type, an index of up to six digits, its end.
const ELEMENT_BYTES = 8;
const MAX_CURSORS = 1000;
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

export class Cursors {
  readonly #open = new Map<string, Cursor>();

  /** The first batch. A cursor is kept only if there is more and it `isKept`. */
  *open(ns: string, pages: Iterator<Uint8Array[]>, size: number, isKept: boolean, now: number): Steps<Batch> {
    const cursor: Cursor = { ns, pages, waiting: [], isAtEnd: false, lastUsed: now };
    const documents = yield* fill(cursor, size);
    if (cursor.isAtEnd || !isKept) return { documents, cursorId: Long.ZERO };
    this.#forgetIdle(now);
    const cursorId = Long.fromBigInt(randomBytes(8).readBigInt64BE() | 1n);
    this.#open.set(cursorId.toString(), cursor);
    return { documents, cursorId };
  }

  /** @throws {CommandError} CursorNotFound. `size` 0: as many as fit. */
  *more(cursorId: Long, ns: string, size: number, now: number): Steps<Batch> {
    const id = cursorId.toString();
    const cursor = this.#open.get(id);
    if (cursor?.ns !== ns) throw new CommandError(43, `cursor id ${id} not found`);
    cursor.lastUsed = now;
    // It cannot be found while it is being read, or after that has failed.
    this.#open.delete(id);
    const documents = yield* fill(cursor, size === 0 ? Infinity : size);
    if (cursor.isAtEnd) return { documents, cursorId: Long.ZERO };
    this.#open.set(id, cursor);
    return { documents, cursorId };
  }

  /** Whether there was one. */
  kill(id: Long): boolean {
    return this.#open.delete(id.toString());
  }

  #forgetIdle(now: number): void {
    for (const [id, { lastUsed }] of this.#open) {
      if (now - lastUsed > IDLE_MS || this.#open.size >= MAX_CURSORS) this.#open.delete(id);
    }
  }
}

/** Reads one document ahead, so that the last batch is known to be the last. */
function* fill(cursor: Cursor, size: number): Steps<Uint8Array[]> {
  const batch: Uint8Array[] = [];
  for (let bytes = 0; ;) {
    for (const [at, next] of cursor.waiting.entries()) {
      bytes += next.length + ELEMENT_BYTES;
      if (batch.length >= size || (bytes > MAX_BATCH_BYTES && batch.length > 0)) {
        cursor.waiting = cursor.waiting.slice(at);
        return batch;
      }
      batch.push(next);
    }
    const page = cursor.pages.next();
    cursor.waiting = page.done === true ? [] : page.value;
    cursor.isAtEnd = page.done === true;
    if (cursor.isAtEnd) return batch;
    yield;
  }
}
