import { decodeForeign, type Doc } from '../documents.ts';
import { CommandError } from '../errors.ts';
import { Search } from '../query.ts';
import { insertRecord, removeRecord, replaceRecord } from '../records.ts';
import { parseUpdate, seedOf, type Update } from '../update.ts';
import {
  checkFields,
  type Command,
  type Engine,
  namespaceOf,
  readDoc,
  readDocs,
  readFlag,
  readNumber,
  type Request,
  type Steps,
  wrongType,
} from './command.ts';

/**
 * Runs the statements one by one, with a pause after each. A failed one is reported by its index; `ordered` says whether the rest are
 * still tried.
 */
function* forEachStatement<T>(
  body: Doc,
  statements: readonly T[],
  run: (statement: T, index: number) => Steps<void> | undefined,
): Steps<Doc> {
  const isOrdered = readFlag(body, 'ordered', true);
  const writeErrors: Doc[] = [];
  for (const [index, statement] of statements.entries()) {
    if (index > 0) yield;
    try {
      yield* run(statement, index) ?? [];
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
  *run({ storage, catalog }, request) {
    const { documents } = request.body;
    if (!Array.isArray(documents) || !documents.every((each) => each instanceof Uint8Array)) {
      throw wrongType('insert.documents', 'an array of objects');
    }
    if (documents.length === 0) {
      throw new CommandError(16, 'Write batch sizes must be between 1 and 100000. Got 0 operations.');
    }
    const collection = catalog.ensure(...namespaceOf(request));
    let n = 0;
    const errors = yield* forEachStatement(request.body, documents, (bytes) => {
      insertRecord(storage, collection, decodeForeign(bytes), bytes);
      n += 1;
      return undefined;
    });
    return { n, ...errors, ok: 1 };
  },
};

const UPDATE_FIELDS = new Set(['q', 'u', 'multi', 'upsert']);

const update: Command = {
  fields: ['updates', 'ordered', 'bypassDocumentValidation'],
  *run(engine, request) {
    const statements = readDocs(request.body, 'updates', 'update');
    for (const statement of statements) checkFields('update.updates', statement, UPDATE_FIELDS);
    const counts = { n: 0, nModified: 0 };
    const upserted: Doc[] = [];
    const errors = yield* forEachStatement(request.body, statements, function* (statement, index) {
      const filter = readDoc(statement, 'q') ?? {};
      const isMulti = readFlag(statement, 'multi');
      const change = parseUpdate(statement['u'], isMulti);
      const isFound = yield* changeFound(engine, request, { filter, limit: isMulti ? 0 : 1 }, change, counts);
      if (isFound || !readFlag(statement, 'upsert')) return;
      const collection = engine.catalog.ensure(...namespaceOf(request));
      upserted.push({ index, _id: insertRecord(engine.storage, collection, change(seedOf(filter), true)) });
      counts.n += 1;
    });
    return { ...counts, ...(upserted.length === 0 ? {} : { upserted }), ...errors, ok: 1 };
  },
};

/** Returns whether there was anything. */
function* changeFound(
  { storage, catalog }: Engine,
  request: Request,
  query: { filter: Doc; limit: number },
  change: Update,
  counts: { n: number; nModified: number },
): Steps<boolean> {
  const collection = catalog.view(...namespaceOf(request));
  const seen = new Set<number>();
  for (const page of new Search(storage, collection, query).pages()) {
    for (const document of page) {
      if (seen.has(document.rid)) continue; // a change may move a document ahead of the scan
      seen.add(document.rid);
      if (replaceRecord(storage, collection, document, change(document.doc, false))) counts.nModified += 1;
      counts.n += 1;
    }
    yield;
  }
  return seen.size > 0;
}

const DELETE_FIELDS = new Set(['q', 'limit']);

const remove: Command = {
  fields: ['deletes', 'ordered'],
  *run({ storage, catalog }, request) {
    const statements = readDocs(request.body, 'deletes', 'delete');
    for (const statement of statements) checkFields('delete.deletes', statement, DELETE_FIELDS);
    const collection = catalog.view(...namespaceOf(request));
    let n = 0;
    const errors = yield* forEachStatement(request.body, statements, function* (statement) {
      const limit = readNumber(statement, 'limit');
      if (limit !== 0 && limit !== 1) throw new CommandError(9, 'The limit field in delete objects must be 0 or 1');
      for (const page of new Search(storage, collection, { filter: readDoc(statement, 'q') ?? {}, limit }).pages()) {
        for (const document of page) removeRecord(storage, collection, document);
        n += page.length;
        yield;
      }
    });
    return { n, ...errors, ok: 1 };
  },
};

export const writeCommands: Readonly<Record<string, Command>> = { insert, update, delete: remove };
