import { Long } from 'bson';
import type { Batch } from '../cursors.ts';
import { FIRST_BATCH } from '../cursors.ts';
import { type Doc, encode, encodeCursor, isDoc } from '../documents.ts';
import { CommandError, notImplemented } from '../errors.ts';
import { parseFilter } from '../filter.ts';
import { parseSort } from '../paths.ts';
import { type Plan, planQuery } from '../plan.ts';
import { parseProjection, type Projection } from '../projection.ts';
import { findDocuments, type Query, type StoredDocument, type Work } from '../query.ts';
import type { Scan } from '../steps.ts';
import {
  checkFields,
  collectionName,
  type Command,
  type Engine,
  findCollection,
  readDoc,
  readFlag,
  readNumber,
  readTimeLimit,
} from './command.ts';

/** Answers a batch as `{cursor: {id, ns, firstBatch | nextBatch}, ok: 1}`, copying stored bytes. */
function cursorReply(batch: Batch, ns: string, name: 'firstBatch' | 'nextBatch'): Uint8Array {
  return encodeCursor({ id: batch.cursorId, ns }, { name, documents: batch.documents });
}

/** The first batch of documents that are BSON already. */
export function* openCursor(
  engine: Engine,
  ns: string,
  documents: Scan<Uint8Array>,
  options: Doc,
  maxTimeMs = Infinity,
): Generator<undefined, Uint8Array, undefined> {
  const batchSize = readNumber(options, 'batchSize') ?? FIRST_BATCH;
  const cursor = { ns, batchSize, isSingleBatch: readFlag(options, 'singleBatch'), maxTimeMs };
  const batch = yield* engine.cursors.open(documents, cursor, engine.clock.now());
  return cursorReply(batch, ns, 'firstBatch');
}

function readQuery(body: Doc): Query {
  return {
    filter: readDoc(body, 'filter') ?? {},
    sort: parseSort(readDoc(body, 'sort')),
    skip: readNumber(body, 'skip') ?? 0,
    limit: readNumber(body, 'limit') ?? 0,
  };
}

const FIND_FIELDS = [
  ...['filter', 'sort', 'projection', 'skip', 'limit', 'batchSize', 'singleBatch', 'noCursorTimeout'],
  ...['allowDiskUse', 'tailable', 'awaitData', 'allowPartialResults', 'oplogReplay'],
];

const find: Command = {
  fields: FIND_FIELDS,
  isWrite: false,
  *steps(engine, request) {
    const { body, db } = request;
    for (const name of ['tailable', 'awaitData', 'oplogReplay']) {
      if (readFlag(body, name)) throw new CommandError(2, `${name} is not implemented by the embedded store`);
    }
    const query = readQuery(body);
    const project = parseProjection(readDoc(body, 'projection'));
    const collection = findCollection(engine, request);
    if (collection === undefined) parseFilter(query.filter); // a filter is refused even where there is nothing to find
    const found = collection === undefined ? [] : findDocuments(engine, collection, query);
    const ns = `${db}.${collectionName(request)}`;
    return yield* openCursor(engine, ns, bytesOf(found, project), body, readTimeLimit(body));
  },
};

function* bytesOf(found: Scan<StoredDocument>, project: Projection | undefined): Generator<Uint8Array | undefined> {
  for (const document of found) {
    yield document && (project === undefined ? document.bson : encode(project(document.doc)));
  }
}

const getMore: Command = {
  fields: ['collection', 'batchSize'],
  isWrite: false,
  *steps(engine, { body, db }) {
    const id = body['getMore'];
    if (!(id instanceof Long)) {
      throw new CommandError(14, "BSON field 'getMore.getMore' is the wrong type, expected type 'long'");
    }
    const ns = `${db}.${String(body['collection'])}`;
    const batch = yield* engine.cursors.more(id, ns, readNumber(body, 'batchSize') ?? 0, engine.clock.now());
    return cursorReply(batch, ns, 'nextBatch');
  },
};

const killCursors: Command = {
  fields: ['cursors'],
  isWrite: false,
  run({ cursors }, { body }) {
    const ids = (Array.isArray(body['cursors']) ? body['cursors'] : []).filter((id) => id instanceof Long);
    const killed = ids.filter((id) => cursors.kill(id));
    return {
      cursorsKilled: killed,
      cursorsNotFound: ids.filter((id) => !killed.includes(id)),
      cursorsAlive: [],
      cursorsUnknown: [],
      ok: 1,
    };
  },
};

/** How a `find` is carried out and how many documents it reads, in the words of MongoDB's answer. */
const explain: Command = {
  fields: ['verbosity'],
  isWrite: false,
  *steps(engine, request) {
    const body = request.body['explain'];
    if (!isDoc(body) || Object.keys(body)[0] !== 'find') throw notImplemented('explaining anything but find');
    checkFields('find', body, new Set(['find', '$db', ...FIND_FIELDS]));
    const query = readQuery(body);
    const collection = findCollection(engine, { ...request, name: 'find', body });
    if (collection === undefined) return { queryPlanner: { winningPlan: { stage: 'EOF' } }, ok: 1 };
    const work: Work = { docsExamined: 0 };
    let nReturned = 0;
    for (const document of findDocuments(engine, collection, query, work)) {
      if (document === undefined) yield;
      else nReturned += 1;
    }
    return {
      queryPlanner: {
        namespace: collection.ns,
        winningPlan: describe(planQuery(collection, query.filter, query.sort ?? [])),
      },
      executionStats: { executionSuccess: true, nReturned, totalDocsExamined: work.docsExamined },
      ok: 1,
    };
  },
};

function describe({ index, isBackward, isSorted, isCollectionScan, residual }: Plan): Doc {
  const direction = isBackward ? 'backward' : 'forward';
  const scan: Doc = isCollectionScan
    ? { stage: 'COLLSCAN', direction }
    : { stage: 'IXSCAN', indexName: index.name, keyPattern: index.spec['key'], direction };
  const fetch = { stage: 'FETCH', ...(residual === undefined ? {} : { filter: {} }), inputStage: scan };
  return isSorted ? fetch : { stage: 'SORT', inputStage: fetch };
}

export const findCommands: Readonly<Record<string, Command>> = { find, getMore, killCursors, explain };
