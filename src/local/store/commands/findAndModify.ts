import { decode, type Doc } from '../documents.ts';
import { CommandError } from '../errors.ts';
import { compileFilter } from '../filter.ts';
import { parseSort } from '../paths.ts';
import { parseProjection } from '../projection.ts';
import { findDocuments, type StoredDocument } from '../query.ts';
import { removeRecord } from '../records.ts';
import { parseUpdate, type Update } from '../update.ts';
import type { Collection } from '../catalog.ts';
import {
  collectionName,
  findCollection,
  readDoc,
  readFlag,
  type Command,
  type Engine,
  type Request,
} from './command.ts';
import { applyTo, upsert } from './write.ts';

/** What happened to the one document: as it was or as it is now, whichever was asked for. */
interface Outcome {
  readonly lastErrorObject: Doc;
  readonly value: Doc | null;
}

export const findAndModify: Command = {
  fields: ['query', 'sort', 'fields', 'update', 'remove', 'new', 'upsert', 'bypassDocumentValidation'],
  isWrite: true,
  run(engine, request) {
    const { body } = request;
    const isRemoval = readFlag(body, 'remove');
    const isNew = readFlag(body, 'new');
    if (isRemoval === (body['update'] !== undefined))
      throw new CommandError(9, 'Either an update or remove=true must be specified');
    if (isRemoval && isNew)
      throw new CommandError(
        9,
        "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
      );
    const change = isRemoval ? undefined : parseUpdate(body['update']);
    const project = parseProjection(readDoc(body, 'fields'));
    const { lastErrorObject, value } =
      change === undefined ? remove(engine, request) : modify(engine, request, change, isNew);
    return { lastErrorObject, value: value === null || project === undefined ? value : project(value), ok: 1 };
  },
};

function findOne(engine: Engine, request: Request, collection: Collection | undefined): StoredDocument | undefined {
  const filter = readDoc(request.body, 'query') ?? {};
  const sort = parseSort(readDoc(request.body, 'sort'));
  if (collection === undefined) compileFilter(filter);
  else for (const document of findDocuments(engine.storage, collection, { filter, sort, limit: 1 })) return document;
  return undefined;
}

function remove(engine: Engine, request: Request): Outcome {
  const collection = findCollection(engine, request);
  const document = findOne(engine, request, collection);
  if (collection === undefined || document === undefined) return { lastErrorObject: { n: 0 }, value: null };
  removeRecord(engine.storage, collection, document.rid, document.doc);
  return { lastErrorObject: { n: 1 }, value: document.doc };
}

function modify(engine: Engine, request: Request, change: Update, isNew: boolean): Outcome {
  const { body, db } = request;
  const collection = findCollection(engine, request);
  const document = findOne(engine, request, collection);
  if (collection !== undefined && document !== undefined) {
    const { bson } = applyTo(engine, collection, document, change);
    return { lastErrorObject: { n: 1, updatedExisting: true }, value: decode(isNew ? bson : document.bson) };
  }
  if (!readFlag(body, 'upsert')) return { lastErrorObject: { n: 0, updatedExisting: false }, value: null };
  const ensured = engine.catalog.ensure(db, collectionName(request));
  const inserted = upsert(engine, ensured, readDoc(body, 'query') ?? {}, change);
  return {
    lastErrorObject: { n: 1, updatedExisting: false, upserted: inserted['_id'] },
    value: isNew ? inserted : null,
  };
}
