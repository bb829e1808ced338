import { Long } from 'bson';
import { encode, encodeCursor, type Doc } from '../documents.ts';
import { CommandError } from '../errors.ts';
import { FIRST_BATCH, type Batch } from '../cursors.ts';
import { compileFilter } from '../filter.ts';
import { parseSort } from '../paths.ts';
import { parseProjection, type Projection } from '../projection.ts';
import { findDocuments, type Query, type StoredDocument } from '../query.ts';
import { collectionName, findCollection, readDoc, readFlag, readNumber, type Command, type Engine } from './command.ts';

/** Answers a batch as `{cursor: {id, ns, firstBatch | nextBatch}, ok: 1}`, copying stored bytes. */
function cursorReply(batch: Batch, ns: string, name: 'firstBatch' | 'nextBatch'): Uint8Array {
  return encodeCursor({ id: batch.cursorId, ns }, { name, documents: batch.documents });
}

/** Opens a cursor over documents that are BSON already. */
export function openCursor(engine: Engine, ns: string, documents: Iterator<Uint8Array>, options: Doc): Uint8Array {
  const size = readNumber(options, 'batchSize') ?? FIRST_BATCH;
  const isSingleBatch = readFlag(options, 'singleBatch');
  const batch = engine.cursors.open(ns, documents, size, isSingleBatch, engine.clock.now());
  return cursorReply(batch, ns, 'firstBatch');
}

export function readQuery(body: Doc, filterName = 'filter'): Query {
  return {
    filter: readDoc(body, filterName) ?? {},
    sort: parseSort(readDoc(body, 'sort')),
    skip: readNumber(body, 'skip') ?? 0,
    limit: readNumber(body, 'limit') ?? 0,
  };
}

export const FIND_FIELDS = [
  'filter',
  'sort',
  'projection',
  'skip',
  'limit',
  'batchSize',
  'singleBatch',
  'noCursorTimeout',
];

const find: Command = {
  fields: [...FIND_FIELDS, 'allowDiskUse', 'tailable', 'awaitData', 'allowPartialResults', 'oplogReplay'],
  isWrite: false,
  run(engine, request) {
    const { body, db } = request;
    for (const name of ['tailable', 'awaitData', 'oplogReplay']) {
      if (readFlag(body, name)) throw new CommandError(2, `${name} is not implemented by the embedded store`);
    }
    const query = readQuery(body);
    const project = parseProjection(readDoc(body, 'projection'));
    const collection = findCollection(engine, request);
    if (collection === undefined) compileFilter(query.filter); // a filter is refused even where there is nothing to find
    const found = collection === undefined ? [] : findDocuments(engine.storage, collection, query);
    return openCursor(engine, `${db}.${collectionName(request)}`, bytesOf(found, project), body);
  },
};

function* bytesOf(found: Iterable<StoredDocument>, project: Projection | undefined): Generator<Uint8Array> {
  for (const document of found) yield project === undefined ? document.bson : encode(project(document.doc));
}

const getMore: Command = {
  fields: ['collection', 'batchSize'],
  isWrite: false,
  run(engine, { body, db }) {
    const id = body['getMore'];
    if (!(id instanceof Long))
      throw new CommandError(14, "BSON field 'getMore.getMore' is the wrong type, expected type 'long'");
    const ns = `${db}.${String(body['collection'])}`;
    const batch = engine.cursors.more(id, ns, readNumber(body, 'batchSize') ?? 0, engine.clock.now());
    return cursorReply(batch, ns, 'nextBatch');
  },
};

export const findCommands: Readonly<Record<string, Command>> = { find, getMore };
