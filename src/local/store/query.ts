import type { Collection } from './catalog.ts';
import type { Steps } from './commands/command.ts';
import { decode, type Doc } from './documents.ts';
import { CommandError } from './errors.ts';
import { encodeKeys, type Field } from './keys.ts';
import { type Plan, planQuery } from './plan.ts';
import type { IndexedRow, Row, Storage } from './storage.ts';

/** A stored document, parsed on demand. */
export class StoredDocument {
  readonly rid: number;
  readonly bson: Uint8Array;
  #doc: Doc | undefined;

  constructor({ rid, bson }: Row) {
    this.rid = rid;
    this.bson = bson;
  }

  get doc(): Doc {
    return (this.#doc ??= decode(this.bson));
  }
}

/** The results, page by page; some may be empty. Others may write between two pages. */
export type Pages = Generator<StoredDocument[], void, undefined>;

export interface Query {
  readonly filter: Doc;
  readonly sort?: readonly Field[];
  readonly skip?: number;
  /** 0 or absent: all. */
  readonly limit?: number;
}

const MAX_PAGE = 100;
// MongoDB's own limit for a sort without an index.
const MAX_SORT_BYTES = 100 * 1024 * 1024;

/** One running query. */
export class Search {
  readonly plan: Plan;
  docsExamined = 0;
  readonly #storage: Storage;
  readonly #collection: Collection;
  readonly #query: Query;

  /** @throws {CommandError} for a filter that this store does not understand. */
  constructor(storage: Storage, collection: Collection, query: Query) {
    this.plan = planQuery(collection, query.filter, query.sort ?? []);
    this.#storage = storage;
    this.#collection = collection;
    this.#query = query;
  }

  /**
   * The documents in order. No SQLite cursor is open between two pages: an unchanged document is neither skipped nor repeated,
   * whatever others write. Unless the query sorts by itself, a page shows what is stored when it is read.
   */
  *pages(): Pages {
    const { limit = 0, sort = [] } = this.#query;
    let { skip = 0 } = this.#query;
    let left = limit === 0 ? Infinity : limit;
    for (const page of this.plan.isSorted ? this.#matches(skip + left) : sorted(this.#matches(Infinity), sort)) {
      const wanted = page.slice(skip, skip + left);
      skip = Math.max(0, skip - page.length);
      left -= wanted.length;
      yield wanted;
      if (left === 0) return;
    }
  }

  /** How many there are, without reading documents where an index decides. */
  *count(): Steps<number> {
    const { index, ranges, residual } = this.plan;
    const { limit = 0 } = this.#query;
    let n = 0;
    if (residual === undefined) {
      const wanted = limit === 0 ? Number.MAX_SAFE_INTEGER : limit;
      for (const range of ranges) n += this.#storage.countEntries(index.id, range, wanted - n);
      return n;
    }
    for (const page of this.pages()) {
      n += page.length;
      yield;
    }
    return n;
  }

  *#matches(wanted: number): Pages {
    const { index, ranges, isBackward, residual } = this.plan;
    for (const range of isBackward ? ranges.toReversed() : ranges) {
      let after: IndexedRow | undefined;
      // If the filter drops many, the next page is larger.
      for (let size = Math.min(MAX_PAGE, wanted); ; size = Math.min(MAX_PAGE, size * 2)) {
        this.#checkIsThere();
        const rows: IndexedRow[] = this.#storage.rows(index.id, range, size, isBackward, after);
        this.docsExamined += rows.length;
        const page = rows.map((row) => new StoredDocument(row));
        yield residual === undefined ? page : page.filter(({ doc }) => residual(doc));
        after = rows.at(-1);
        if (rows.length < size) break;
      }
    }
  }

  /** Others may have dropped the index meanwhile; a partial answer would look complete. */
  #checkIsThere(): void {
    const { ns, indexes } = this.#collection;
    const { index } = this.plan;
    if (!indexes.includes(index)) {
      throw new CommandError(175, `the index ${index.name} of ${ns} was dropped while it was read`);
    }
  }
}

/** @throws {CommandError} when there is too much to sort, or a value has no order. */
function* sorted(pages: Pages, sort: readonly Field[]): Pages {
  const found: { key: Buffer; row: Row }[] = [];
  let bytes = 0;
  for (const page of pages) {
    for (const { rid, bson, doc } of page) {
      found.push({ key: encodeKeys(doc, sort), row: { rid, bson } }); // not the parsed form, which takes several times the memory
      bytes += bson.length;
    }
    if (bytes > MAX_SORT_BYTES) {
      throw new CommandError(292, `Sort exceeded memory limit of ${MAX_SORT_BYTES} bytes: it needs an index`);
    }
    yield [];
  }
  found.sort((a, b) => Buffer.compare(a.key, b.key));
  for (let at = 0; at < found.length; at += MAX_PAGE) {
    yield found.slice(at, at + MAX_PAGE).map(({ row }) => new StoredDocument(row));
  }
}
