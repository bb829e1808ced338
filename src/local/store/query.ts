import type { Catalog, Collection } from './catalog.ts';
import { decode, type Doc } from './documents.ts';
import { CommandError } from './errors.ts';
import { type SortField, sortKey } from './paths.ts';
import { type Plan, planQuery } from './plan.ts';
import type { Scan } from './steps.ts';
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

/** Where the documents are. */
interface Source {
  readonly storage: Storage;
  readonly catalog: Catalog;
}

/** What a query cost, for `explain`. */
export interface Work {
  docsExamined: number;
}

const MAX_PAGE = 100;
// MongoDB's own limit for a sort without an index.
const MAX_SORT_BYTES = 100 * 1024 * 1024;

/**
 * The documents that a query finds, in its order. Reads in pages and holds no SQLite cursor open between them, so that others may
 * write there: a document that stays put is neither skipped nor repeated. Unless the query sorts by itself, what is found is as it
 * is stored until the next pause.
 *
 * @throws {CommandError} for a filter that this store does not understand, at once.
 */
export function findDocuments(
  source: Source,
  collection: Collection,
  query: Query,
  work: Work = { docsExamined: 0 },
): Scan<StoredDocument> {
  return run(source, collection, planQuery(collection, query.filter, query.sort ?? []), query, work);
}

/** How many documents a query finds, without reading those that an index decides about. */
export function* countDocuments(
  source: Source,
  collection: Collection,
  query: Query,
): Generator<undefined, number, undefined> {
  const { skip = 0, limit = 0 } = query;
  const { index, ranges, residual } = planQuery(collection, query.filter, []);
  let n = 0;
  if (residual === undefined) {
    const wanted = limit === 0 ? Number.MAX_SAFE_INTEGER : skip + limit;
    for (const range of ranges) n += source.storage.countEntries(index.id, range, wanted - n);
    return Math.max(0, n - skip);
  }
  for (const document of findDocuments(source, collection, query)) {
    if (document === undefined) yield;
    else n += 1;
  }
  return n;
}

function* run(
  source: Source,
  collection: Collection,
  plan: Plan,
  { skip = 0, limit = 0, sort = [] }: Query,
  work: Work,
): Generator<StoredDocument | undefined> {
  const wanted = limit === 0 ? Infinity : skip + limit;
  const page = plan.isSorted ? Math.min(MAX_PAGE, wanted) : MAX_PAGE;
  const matches = matching(rows(source, collection, plan, page), plan, work);
  let seen = 0;
  for (const document of plan.isSorted ? matches : sorted(matches, sort, wanted)) {
    if (document !== undefined) seen += 1;
    if (document === undefined || seen > skip) yield document;
    if (seen >= wanted) return;
  }
}

function* matching(found: Scan<Row>, { residual }: Plan, work: Work): Generator<StoredDocument | undefined> {
  for (const row of found) {
    const document = row && new StoredDocument(row);
    if (document !== undefined) work.docsExamined += 1;
    if (document === undefined || residual === undefined || residual(document.doc)) yield document;
  }
}

/** Pauses before every page but the first. */
function* rows(source: Source, collection: Collection, plan: Plan, page: number): Generator<Row | undefined> {
  let isFirst = true;
  for (const range of plan.isBackward ? plan.ranges.toReversed() : plan.ranges) {
    let after: IndexedRow | undefined;
    // What is left over by a filter makes the next page larger.
    for (let size = page; ; size = Math.min(MAX_PAGE, size * 2)) {
      if (!isFirst) {
        yield undefined;
        checkIsThere(source.catalog, collection, plan);
      }
      isFirst = false;
      const { storage } = source;
      const found: IndexedRow[] = plan.isBackward
        ? storage.backward(plan.index.id, range, after, size)
        : storage.forward(plan.index.id, range, after, size);
      yield* found;
      after = found.at(-1);
      if (found.length < size) break;
    }
  }
}

/** Others may have dropped it meanwhile; half of an answer would look like a whole one. */
function checkIsThere(catalog: Catalog, { db, name, ns }: Collection, { index }: Plan): void {
  if (catalog.find(db, name)?.indexes.some(({ id }) => id === index.id) === true) return;
  throw new CommandError(175, `the collection ${ns} or its index ${index.name} was dropped while it was read`);
}

/** Those that come first, sorted here; `wanted` of them. */
function* sorted(
  matches: Scan<StoredDocument>,
  sort: readonly SortField[],
  wanted: number,
): Generator<StoredDocument | undefined> {
  let first: Keyed[] = [];
  let bytes = 0;
  for (const document of matches) {
    if (document === undefined) {
      yield undefined;
      continue;
    }
    // Without the parsed form, which takes several times the memory.
    first.push({ key: sortKey(document.doc, sort), document: new StoredDocument(document) });
    bytes += document.bson.length;
    if (first.length >= 2 * wanted + MAX_PAGE) {
      first = inOrder(first).slice(0, wanted);
      bytes = first.reduce((sum, { document: { bson } }) => sum + bson.length, 0);
    }
    if (bytes > MAX_SORT_BYTES) {
      throw new CommandError(292, `Sort exceeded memory limit of ${MAX_SORT_BYTES} bytes: it needs an index`);
    }
  }
  for (const { document } of inOrder(first)) yield document;
}

interface Keyed {
  readonly key: Buffer;
  readonly document: StoredDocument;
}

function inOrder(keyed: Keyed[]): Keyed[] {
  return keyed.sort((a, b) => Buffer.compare(a.key, b.key));
}
