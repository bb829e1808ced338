import { decode, decodeForeign, type Doc } from '../documents.ts';
import { CommandError } from '../errors.ts';
import { compileFilter } from '../filter.ts';
import { parseSort } from '../paths.ts';
import { findDocuments } from '../query.ts';
import { insertRecord, removeRecord, replaceRecord, withId } from '../records.ts';
import { parseUpdate, seedOf, type Update } from '../update.ts';
import type { Collection } from '../catalog.ts';
import {
  checkFields,
  collectionName,
  findCollection,
  readDoc,
  readDocs,
  readFlag,
  readNumber,
  type Command,
  type Engine,
} from './command.ts';

/** Runs statement after statement. One that fails is reported by its place; `ordered` says whether the rest is still tried. */
function forEachStatement<T>(body: Doc, statements: readonly T[], run: (statement: T, index: number) => void): Doc {
  const isOrdered = readFlag(body, 'ordered', true);
  const writeErrors: Doc[] = [];
  for (const [index, statement] of statements.entries()) {
    try {
      run(statement, index);
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
  run(engine, request) {
    if (request.documents.length === 0)
      throw new CommandError(16, 'Write batch sizes must be between 1 and 100000. Got 0 operations.');
    const collection = engine.catalog.ensure(request.db, collectionName(request));
    let n = 0;
    const errors = forEachStatement(request.body, request.documents, (bytes) => {
      const { doc, bson } = withId(decodeForeign(bytes), bytes);
      insertRecord(engine.storage, collection, doc, bson);
      n += 1;
    });
    return { n, ...errors, ok: 1 };
  },
};

const UPDATE_FIELDS = new Set(['q', 'u', 'multi', 'upsert', 'sort']);

const update: Command = {
  fields: ['updates', 'ordered', 'bypassDocumentValidation'],
  isWrite: true,
  run(engine, request) {
    const statements = readDocs(request.body, 'updates', 'update');
    for (const statement of statements) checkFields('update.updates', statement, UPDATE_FIELDS);
    const counts = { n: 0, nModified: 0, upserted: [] as Doc[] };
    const errors = forEachStatement(request.body, statements, (statement, index) => {
      const collection = engine.catalog.find(request.db, collectionName(request));
      const done = updateStatement(engine, statement, collection, () =>
        engine.catalog.ensure(request.db, collectionName(request)),
      );
      counts.n += done.n;
      counts.nModified += done.nModified;
      if (done.upserted !== undefined) counts.upserted.push({ index, _id: done.upserted });
    });
    const { n, nModified, upserted } = counts;
    return { n, nModified, ...(upserted.length === 0 ? {} : { upserted }), ...errors, ok: 1 };
  },
};

interface Updated {
  n: number;
  nModified: number;
  upserted?: unknown;
}

function updateStatement(
  engine: Engine,
  statement: Doc,
  collection: Collection | undefined,
  ensure: () => Collection,
): Updated {
  const filter = readDoc(statement, 'q') ?? {};
  const change = parseUpdate(statement['u']);
  const isMulti = readFlag(statement, 'multi');
  if (isMulti && change.isReplacement)
    throw new CommandError(9, 'multi update is not supported for replacement-style update');
  const sort = parseSort(readDoc(statement, 'sort'));
  if (isMulti && sort.length > 0) throw new CommandError(9, 'Cannot specify sort with multi=true');
  if (collection === undefined) compileFilter(filter);
  // All are found before the first is changed, so that a change cannot bring a document before the scan again.
  const found =
    collection === undefined
      ? []
      : [...findDocuments(engine.storage, collection, { filter, sort, limit: isMulti ? 0 : 1 })];
  let nModified = 0;
  for (const document of found) {
    if (collection !== undefined && applyTo(engine, collection, document, change).isModified) nModified += 1;
  }
  if (found.length > 0 || !readFlag(statement, 'upsert')) return { n: found.length, nModified };
  return { n: 1, nModified: 0, upserted: upsert(engine, ensure(), filter, change)['_id'] };
}

/** Changes one stored document. */
export function applyTo(
  engine: Engine,
  collection: Collection,
  document: { rid: number; bson: Uint8Array; doc: Doc },
  change: Update,
): { isModified: boolean; bson: Uint8Array } {
  const { doc, bson } = withId(change.apply(decode(document.bson), false), undefined);
  if (Buffer.compare(bson, document.bson) === 0) return { isModified: false, bson };
  replaceRecord(engine.storage, collection, document, doc, bson);
  return { isModified: true, bson };
}

/** Inserts what an update that found nothing makes out of its filter. */
export function upsert(engine: Engine, collection: Collection, filter: Doc, change: Update): Doc {
  const seed = seedOf(filter);
  const start = change.isReplacement ? (Object.hasOwn(seed, '_id') ? { _id: seed['_id'] } : {}) : seed;
  const made = change.apply(start, true);
  const { doc, bson } = withId(made, undefined);
  insertRecord(engine.storage, collection, doc, bson);
  return doc;
}

const DELETE_FIELDS = new Set(['q', 'limit']);

const remove: Command = {
  fields: ['deletes', 'ordered'],
  isWrite: true,
  run(engine, request) {
    const statements = readDocs(request.body, 'deletes', 'delete');
    for (const statement of statements) checkFields('delete.deletes', statement, DELETE_FIELDS);
    const collection = findCollection(engine, request);
    let n = 0;
    const errors = forEachStatement(request.body, statements, (statement) => {
      const filter = readDoc(statement, 'q') ?? {};
      const limit = readNumber(statement, 'limit');
      if (limit !== 0 && limit !== 1) throw new CommandError(9, 'The limit field in delete objects must be 0 or 1');
      if (collection === undefined) return void compileFilter(filter);
      const found = [...findDocuments(engine.storage, collection, { filter, limit })];
      for (const { rid, doc } of found) removeRecord(engine.storage, collection, rid, doc);
      n += found.length;
    });
    return { n, ...errors, ok: 1 };
  },
};

export const writeCommands: Readonly<Record<string, Command>> = { insert, update, delete: remove };
