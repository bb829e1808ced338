import { randomBytes } from 'node:crypto';
import { Long } from 'bson';
import { CommandError } from './errors.ts';
import { inTime, type Scan } from './steps.ts';

/** Documents that wait for the client's next `getMore`. */
interface OpenCursor {
  readonly ns: string;
  readonly documents: Iterator<Uint8Array | undefined>;
  /** The document that did not fit into the last batch. */
  next: Uint8Array | undefined;
  isAtEnd: boolean;
  lastUsed: number;
  /** What is left of the client's `maxTimeMS`, which is for all batches together. */
  msLeft: number;
}

export interface Batch {
  readonly documents: Uint8Array[];
  /** 0 when there are no more. */
  readonly cursorId: Long;
}

type Steps<T> = Generator<undefined, T, undefined>;

export interface CursorOptions {
  readonly ns: string;
  readonly batchSize: number;
  /** Whether the cursor is closed after the first batch. */
  readonly isSingleBatch: boolean;
  readonly maxTimeMs: number;
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
  *open(found: Scan<Uint8Array>, options: CursorOptions, now: number): Steps<Batch> {
    const documents = found[Symbol.iterator]();
    const { ns, maxTimeMs } = options;
    const cursor: OpenCursor = { ns, documents, next: undefined, isAtEnd: false, lastUsed: now, msLeft: maxTimeMs };
    const batch = yield* fill(cursor, options.batchSize);
    if (cursor.isAtEnd || options.isSingleBatch) return { documents: batch, cursorId: Long.ZERO };
    this.#forgetIdle(now);
    const cursorId = Long.fromBigInt(randomBytes(8).readBigInt64BE() | 1n);
    this.#open.set(cursorId.toString(), cursor);
    return { documents: batch, cursorId };
  }

  /** @throws {CommandError} CursorNotFound, MaxTimeMSExpired. `size` 0: as many as fit. */
  *more(cursorId: Long, ns: string, size: number, now: number): Steps<Batch> {
    const id = cursorId.toString();
    const cursor = this.#open.get(id);
    if (cursor?.ns !== ns) throw new CommandError(43, `cursor id ${id} not found`);
    cursor.lastUsed = now;
    // Not to be found while it is read from, nor afterwards when that fails.
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

function* fill(cursor: OpenCursor, size: number): Steps<Uint8Array[]> {
  const start = performance.now();
  const batch = yield* inTime(collect(cursor, size), cursor.msLeft);
  cursor.msLeft -= performance.now() - start;
  return batch;
}

/** Looks one document ahead, so that the last batch is known to be the last. */
function* collect(cursor: OpenCursor, size: number): Steps<Uint8Array[]> {
  const batch: Uint8Array[] = [];
  for (let bytes = 0; ;) {
    if (cursor.next === undefined) {
      const found = cursor.documents.next();
      cursor.isAtEnd = found.done === true;
      if (found.done === true) return batch;
      cursor.next = found.value;
    }
    if (cursor.next === undefined) {
      yield;
      continue;
    }
    bytes += cursor.next.length + ELEMENT_BYTES;
    if (batch.length >= size || (bytes > MAX_BATCH_BYTES && batch.length > 0)) return batch;
    batch.push(cursor.next);
    cursor.next = undefined;
  }
}
