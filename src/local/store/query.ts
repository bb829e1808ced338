import type { Collection } from './catalog.ts';
import { decode, type Doc } from './documents.ts';
import { CommandError } from './errors.ts';
import { sortKey, type SortField } from './paths.ts';
import { planQuery, type Plan } from './plan.ts';
import type { IndexedRow, Row, Storage } from './storage.ts';

/** A stored document, parsed only if somebody asks. */
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

export interface Query {
  readonly filter: Doc;
  readonly sort?: readonly SortField[];
  readonly skip?: number;
  /** 0 or absent: all. */
  readonly limit?: number;
}

/** What a query cost, for `explain`. */
export interface Work {
  keysExamined: number;
  docsExamined: number;
}

/** How many there are, without holding them all. */
export function countOf(found: Iterable<unknown>): number {
  let count = 0;
  const each = found[Symbol.iterator]();
  while (each.next().done !== true) count += 1;
  return count;
}

const MAX_PAGE = 200;
// MongoDB's own limit for a sort without an index.
const MAX_SORT_BYTES = 100 * 1024 * 1024;

/**
 * The documents that a query finds, in its order. Reads in pages and holds no SQLite cursor open between them, so that it can go on
 * after other commands have written: a document that stays put is neither skipped nor repeated.
 *
 * @throws {CommandError} for a filter that this store does not understand, at once.
 */
export function findDocuments(
  storage: Storage,
  collection: Collection,
  query: Query,
  work: Work = { keysExamined: 0, docsExamined: 0 },
): Generator<StoredDocument> {
  const plan = planQuery(collection, query.filter, query.sort ?? []);
  return run(storage, collection, plan, query, work);
}

function* run(
  storage: Storage,
  collection: Collection,
  plan: Plan,
  query: Query,
  work: Work,
): Generator<StoredDocument> {
  const { skip = 0, limit = 0, sort = [] } = query;
  const wanted = limit === 0 ? Infinity : skip + limit;
  // What is left over by a filter makes the next page larger.
  const page = plan.isSorted ? Math.min(MAX_PAGE, wanted) : MAX_PAGE;
  const matches = matching(rows(storage, collection, plan, page, work), plan);
  let seen = 0;
  for (const document of plan.isSorted ? matches : sorted(matches, sort)) {
    seen += 1;
    if (seen > skip) yield document;
    if (seen >= wanted) return;
  }
}

function* matching(found: Iterable<Row>, { residual }: Plan): Generator<StoredDocument> {
  for (const row of found) {
    const document = new StoredDocument(row);
    if (residual === undefined || residual(document.doc)) yield document;
  }
}

function* rows(storage: Storage, collection: Collection, plan: Plan, page: number, work: Work): Generator<Row> {
  const found = plan.index === undefined ? naturalRows(storage, collection, page) : indexedRows(storage, plan, page);
  for (const row of found) {
    work.docsExamined += 1;
    if (plan.index !== undefined) work.keysExamined += 1;
    yield row;
  }
}

function* naturalRows(storage: Storage, collection: Collection, page: number): Generator<Row> {
  let after = -1;
  for (let size = page; ; size = Math.min(MAX_PAGE, size * 2)) {
    const found = storage.natural(collection.id, after, size);
    yield* found;
    const last = found.at(-1);
    if (last === undefined || found.length < size) return;
    after = last.rid;
  }
}

function* indexedRows(storage: Storage, plan: Plan, page: number): Generator<IndexedRow> {
  const index = plan.index?.id ?? 0;
  for (const range of plan.isBackward ? plan.ranges.toReversed() : plan.ranges) {
    let after: IndexedRow | undefined;
    for (let size = page; ; size = Math.min(MAX_PAGE, size * 2)) {
      const found: IndexedRow[] = plan.isBackward
        ? storage.backward(index, range, after, size)
        : storage.forward(index, range, after, size);
      yield* found;
      after = found.at(-1);
      if (found.length < size) break;
    }
  }
}

function sorted(matches: Iterable<StoredDocument>, sort: readonly SortField[]): StoredDocument[] {
  const keyed: { key: Buffer; document: StoredDocument }[] = [];
  let bytes = 0;
  for (const document of matches) {
    bytes += document.bson.length;
    if (bytes > MAX_SORT_BYTES) {
      throw new CommandError(292, `Sort exceeded memory limit of ${MAX_SORT_BYTES} bytes: it needs an index`);
    }
    // Without the parsed form, which takes several times the memory.
    keyed.push({ key: sortKey(document.doc, sort), document: new StoredDocument(document) });
  }
  return keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ document }) => document);
}
