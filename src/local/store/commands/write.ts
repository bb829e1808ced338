import type { Collection } from '../catalog.ts';
import { decode, decodeForeign, type Doc } from '../documents.ts';
import { CommandError } from '../errors.ts';
import { parseFilter } from '../filter.ts';
import { findDocuments, type Query, type StoredDocument } from '../query.ts';
import { insertRecord, removeRecord, replaceRecord, withId } from '../records.ts';
import type { Scan } from '../steps.ts';
import { parseUpdate, seedOf, type Update } from '../update.ts';
import {
  checkFields,
  collectionName,
  type Command,
  type Engine,
  findCollection,
  readDoc,
  readDocs,
  readFlag,
  readNumber,
  type Request,
} from './command.ts';

type InSteps<T> = Generator<undefined, T, undefined>;

/**
 * Runs statement after statement, with a pause behind each. One that fails is reported by its place; `ordered` says whether the rest
 * is still tried.
 */
function* forEachStatement<T>(
  body: Doc,
  statements: readonly T[],
  run: (statement: T, index: number) => InSteps<void>,
): InSteps<Doc> {
  const isOrdered = readFlag(body, 'ordered', true);
  const writeErrors: Doc[] = [];
  for (const [index, statement] of statements.entries()) {
    if (index > 0) yield;
    try {
      yield* run(statement, index);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      writeErrors.push({ index, code: error.code, errmsg: error.message, ...error.details });
      if (isOrdered) break;
    }
  }
  return writeErrors.length === 0 ? {} : { writeErrors };
}

const insert: Command = {
  fields: ['documents', 'ordered', 'bypassDocumentValidation'],
  isWrite: true,
  *steps(engine, request) {
    if (request.documents.length === 0) {
      throw new CommandError(16, 'Write batch sizes must be between 1 and 100000. Got 0 operations.');
    }
    let n = 0;
    const errors = yield* forEachStatement(request.body, request.documents, function* (bytes) {
      const { doc, bson } = withId(decodeForeign(bytes), bytes);
      insertRecord(engine.storage, target(engine, request), doc, bson);
      n += 1;
    });
    return { n, ...errors, ok: 1 };
  },
};

const UPDATE_FIELDS = new Set(['q', 'u', 'multi', 'upsert']);

const update: Command = {
  fields: ['updates', 'ordered', 'bypassDocumentValidation'],
  isWrite: true,
  *steps(engine, request) {
    const statements = readDocs(request.body, 'updates', 'update');
    for (const statement of statements) checkFields('update.updates', statement, UPDATE_FIELDS);
    const counts = { n: 0, nModified: 0 };
    const upserted: Doc[] = [];
    const errors = yield* forEachStatement(request.body, statements, function* (statement, index) {
      const change = parseUpdate(statement['u']);
      const isFound = yield* updateFound(engine, request, statement, change, counts);
      if (isFound || !readFlag(statement, 'upsert')) return;
      upserted.push({ index, _id: upsert(engine, request, readDoc(statement, 'q') ?? {}, change) });
      counts.n += 1;
    });
    return { ...counts, ...(upserted.length === 0 ? {} : { upserted }), ...errors, ok: 1 };
  },
};

/** Changes what the statement finds. Answers whether there was anything. */
function* updateFound(
  engine: Engine,
  request: Request,
  statement: Doc,
  change: Update,
  counts: { n: number; nModified: number },
): InSteps<boolean> {
  const isMulti = readFlag(statement, 'multi');
  if (isMulti && change.isReplacement) {
    throw new CommandError(9, 'multi update is not supported for replacement-style update');
  }
  const seen = new Set<number>();
  for (const document of find(engine, request, { filter: readDoc(statement, 'q') ?? {}, limit: isMulti ? 0 : 1 })) {
    if (document === undefined) yield;
    // A change may bring a document before the scan again.
    else if (!seen.has(document.rid)) {
      seen.add(document.rid);
      if (applyTo(engine, request, document, change)) counts.nModified += 1;
      counts.n += 1;
    }
  }
  return seen.size > 0;
}

/** The collection to write to, as it is now: between two steps others may have given it an index. */
function target(engine: Engine, request: Request): Collection {
  return engine.catalog.ensure(request.db, collectionName(request));
}

/** What a statement finds, perhaps in a collection that is not there. What it gives is as it is stored: there is no sort. */
function find(engine: Engine, request: Request, query: Query): Scan<StoredDocument> {
  const collection = findCollection(engine, request);
  if (collection !== undefined) return findDocuments(engine, collection, query);
  parseFilter(query.filter); // refused even where there is nothing to find
  return [];
}

/** Changes one stored document. Answers whether it differs now. */
function applyTo(engine: Engine, request: Request, document: StoredDocument, change: Update): boolean {
  // Parsed once more, since operators change what they are given.
  const before = change.isReplacement ? document.doc : decode(document.bson);
  const { doc, bson } = withId(change.apply(before, false), undefined);
  if (Buffer.compare(bson, document.bson) === 0) return false;
  replaceRecord(engine.storage, target(engine, request), document, doc, bson);
  return true;
}

/** Inserts what an update that found nothing makes out of its filter. Answers its id. */
function upsert(engine: Engine, request: Request, filter: Doc, change: Update): unknown {
  const seed = seedOf(filter);
  const start = change.isReplacement ? (Object.hasOwn(seed, '_id') ? { _id: seed['_id'] } : {}) : seed;
  const { doc, bson } = withId(change.apply(start, true), undefined);
  insertRecord(engine.storage, target(engine, request), doc, bson);
  return doc['_id'];
}

const DELETE_FIELDS = new Set(['q', 'limit']);

const remove: Command = {
  fields: ['deletes', 'ordered'],
  isWrite: true,
  *steps(engine, request) {
    const statements = readDocs(request.body, 'deletes', 'delete');
    for (const statement of statements) checkFields('delete.deletes', statement, DELETE_FIELDS);
    let n = 0;
    const errors = yield* forEachStatement(request.body, statements, function* (statement) {
      const limit = readNumber(statement, 'limit');
      if (limit !== 0 && limit !== 1) throw new CommandError(9, 'The limit field in delete objects must be 0 or 1');
      for (const document of find(engine, request, { filter: readDoc(statement, 'q') ?? {}, limit })) {
        if (document === undefined) yield;
        else removeRecord(engine.storage, target(engine, request), document);
        if (document !== undefined) n += 1;
      }
    });
    return { n, ...errors, ok: 1 };
  },
};

export const writeCommands: Readonly<Record<string, Command>> = { insert, update, delete: remove };
