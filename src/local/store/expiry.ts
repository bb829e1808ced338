import type { Index } from './catalog.ts';
import type { Engine } from './commands/command.ts';
import { encodeKey } from './keys.ts';
import { rangeOf } from './plan.ts';
import { StoredDocument } from './query.ts';
import { removeRecord } from './records.ts';
import type { Range } from './storage.ts';

/** Documents of an index removed in one go, so that nobody waits for all of them. */
const MAX_REMOVED = 200;

/** Removes documents that have expired by a TTL index. Returns whether there may be more. */
export function removeExpired({ storage, catalog }: Engine, now: number): boolean {
  let isMore = false;
  for (const collection of catalog.all()) {
    for (const index of collection.indexes) {
      if (index.expireAfterMs === undefined) continue;
      const due = storage.rows(index.id, datesUntil(index, now - index.expireAfterMs), MAX_REMOVED);
      for (const row of due) removeRecord(storage, collection, new StoredDocument(row));
      isMore ||= due.length === MAX_REMOVED;
    }
  }
  return isMore;
}

/** What is not a date never expires. */
function datesUntil({ fields: [field] }: Index, ms: number): Range {
  return rangeOf({ upper: { operator: '$lte', keys: [encodeKey(new Date(ms))] } }, field?.direction);
}
