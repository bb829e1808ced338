import type { Catalog, Index } from './catalog.ts';
import { decode } from './documents.ts';
import { AFTER, encodeKey, invert, TYPE } from './keys.ts';
import { indexedValue } from './paths.ts';
import { removeRecord } from './records.ts';
import type { IndexedRow, Storage } from './storage.ts';

/** Documents that are removed at once. What else is due has to wait for the next command: nobody is to wait for all of it. */
const PAGE = 200;

/**
 * Removes documents that a TTL index says have expired, and leaves a write to be committed if there were any. When the next one is
 * due is remembered, so that asking before every command costs nothing.
 */
export function removeExpired({ storage, catalog }: { storage: Storage; catalog: Catalog }, now: number): void {
  for (const { collection, index, expiry } of catalog.expiring()) {
    expiry.nextDueMs ??= firstDate(storage, index) + expiry.afterMs;
    if (expiry.nextDueMs > now) continue;
    const expired = earliest(storage, index, new Date(now - expiry.afterMs), PAGE);
    storage.write(() => {
      for (const { rid, bson } of expired) removeRecord(storage, collection, { rid, doc: decode(bson) });
    });
    expiry.nextDueMs = undefined;
  }
}

function firstDate(storage: Storage, index: Index): number {
  const [first] = earliest(storage, index, new Date(8.64e15), 1);
  const date = first && indexedValue(decode(first.bson), index.fields[0]?.path ?? '');
  return date instanceof Date ? date.getTime() : Infinity;
}

/** The documents with the earliest dates up to one, first. What is not a date never expires. */
function earliest(storage: Storage, index: Index, until: Date, limit: number): IndexedRow[] {
  const key = encodeKey(until);
  if (index.fields[0]?.direction === -1) {
    return storage.backward(index.id, { low: invert(key), high: Buffer.of((~TYPE.date & 0xff) + 1) }, undefined, limit);
  }
  const range = { low: Buffer.of(TYPE.date), high: Buffer.concat([key, AFTER]) };
  return storage.forward(index.id, range, undefined, limit);
}
