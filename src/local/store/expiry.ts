import type { Catalog, Collection, Index } from './catalog.ts';
import { decode } from './documents.ts';
import { AFTER, encodeKey, invert, TYPE } from './keys.ts';
import { indexedValue } from './paths.ts';
import { removeRecord } from './records.ts';
import type { IndexedRow, Storage } from './storage.ts';

const PAGE = 500;

/**
 * Removes documents that a TTL index says have expired. When the next one is due is remembered until something is written, so that
 * asking before every command costs nothing.
 */
export class Expiry {
  readonly #storage: Storage;
  readonly #catalog: Catalog;
  #nextDue: number | undefined;

  constructor(storage: Storage, catalog: Catalog) {
    this.#storage = storage;
    this.#catalog = catalog;
  }

  /** To be told of every write: it may have brought a document that is due earlier. */
  forget(): void {
    this.#nextDue = undefined;
  }

  /** Leaves a write to be committed if there was something to remove. */
  removeExpired(now: number): void {
    this.#nextDue ??= this.#findNextDue();
    if (this.#nextDue > now) return;
    this.#storage.write(() => {
      for (const { collection, index, seconds } of this.#indexes())
        this.#removeFrom(collection, index, now - seconds * 1000);
    });
    this.forget();
  }

  #findNextDue(): number {
    const times = this.#indexes().map(({ index, seconds }) => {
      const first = earliest(this.#storage, index, new Date(8.64e15), 1)[0];
      const date = first === undefined ? undefined : indexedValue(decode(first.bson), index.fields[0]?.path ?? '');
      return date instanceof Date ? date.getTime() + seconds * 1000 : Infinity;
    });
    return Math.min(Infinity, ...times);
  }

  #removeFrom(collection: Collection, index: Index, dueAt: number): void {
    for (;;) {
      const expired = earliest(this.#storage, index, new Date(dueAt), PAGE);
      for (const { rid, bson } of expired) removeRecord(this.#storage, collection, { rid, doc: decode(bson) });
      if (expired.length < PAGE) return;
    }
  }

  #indexes(): { collection: Collection; index: Index; seconds: number }[] {
    return this.#catalog.all().flatMap((collection) =>
      collection.indexes.flatMap((index) => {
        const seconds = index.expireAfterSeconds;
        return seconds === undefined ? [] : [{ collection, index, seconds }];
      }),
    );
  }
}

/** The documents with the earliest dates up to one, first. What is not a date never expires. */
function earliest(storage: Storage, index: Index, until: Date, limit: number): IndexedRow[] {
  const key = encodeKey(until);
  if (index.fields[0]?.direction !== -1) {
    return storage.forward(
      index.id,
      { low: Buffer.of(TYPE.date), high: Buffer.concat([key, AFTER]) },
      undefined,
      limit,
    );
  }
  return storage.backward(index.id, { low: invert(key), high: Buffer.of((~TYPE.date & 0xff) + 1) }, undefined, limit);
}
