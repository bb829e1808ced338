import { Long } from 'bson';
import type { Batch } from '../cursors.ts';
import { type Doc, encode, encodeCursor, isDoc, toNumber } from '../documents.ts';
import { CommandError, notImplemented } from '../errors.ts';
import type { Field } from '../keys.ts';
import type { Plan } from '../plan.ts';
import { type Pages, type Query, Search } from '../query.ts';
import {
  type Answer,
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

const FIND_FIELDS = ['filter', 'sort', 'projection', 'skip', 'limit', 'batchSize', 'singleBatch'];

const find: Command = {
  fields: FIND_FIELDS,
  run(engine, request) {
    const { body } = request;
    const project = readProjection(body);
    return firstBatch(engine, request, body, bytesOf(searchFor(engine, request, readQuery(body)).pages(), project));
  },
};

function searchFor({ storage, catalog }: Engine, request: Request, query: Query): Search {
  return new Search(storage, catalog.view(...namespaceOf(request)), query);
}

function readQuery(body: Doc): Query {
  return {
    filter: readDoc(body, 'filter') ?? {},
    sort: readSort(body),
    skip: readNumber(body, 'skip') ?? 0,
    limit: readNumber(body, 'limit') ?? 0,
  };
}

/** @throws {CommandError} when it is not `{path: 1 | -1, …}`. */
function readSort(body: Doc): Field[] {
  return Object.entries(readDoc(body, 'sort') ?? {}).map(([path, value]) => {
    if (path.startsWith('$')) throw notImplemented(`sorting by ${path}`);
    const direction = toNumber(value);
    if (direction === 1 || direction === -1) return { path, direction };
    throw new CommandError(15975, `$sort key ordering must be 1 or -1: ${path}`);
  });
}

/** Members to keep (`{a: 1}`). The id is kept unless it says `_id: 0`; `_id: 0` alone keeps all the others. */
function readProjection(body: Doc): ((doc: Doc) => Doc) | undefined {
  const projection = Object.entries(readDoc(body, 'projection') ?? {});
  if (projection.length === 0) return undefined;
  const kept = new Set(['_id']);
  for (const [name, value] of projection) {
    const isWanted = typeof value === 'boolean' ? value : toNumber(value) !== 0;
    const isFlag = typeof value === 'boolean' || toNumber(value) !== undefined;
    if (!isFlag || /[.$]/.test(name) || !(isWanted || name === '_id')) {
      throw notImplemented(`the projection ${name}: ${JSON.stringify(value)}`);
    }
    if (isWanted) kept.add(name);
    else kept.delete(name);
  }
  const isKept = (name: string): boolean => (kept.size === 0 ? name !== '_id' : kept.has(name));
  return (doc) => Object.fromEntries(Object.entries(doc).filter(([name]) => isKept(name)));
}

function* bytesOf(pages: Pages, project: ((doc: Doc) => Doc) | undefined): Generator<Uint8Array[]> {
  for (const page of pages) {
    yield page.map((document) => (project === undefined ? document.bson : encode(project(document.doc))));
  }
}

/** The first documents, which are already BSON. */
export function* firstBatch(
  { cursors, clock }: Engine,
  request: Request,
  options: Doc,
  pages: Iterator<Uint8Array[]>,
): Steps<Answer> {
  const FIRST_BATCH = 101;
  const ns = namespaceOf(request).join('.');
  const size = readNumber(options, 'batchSize') ?? FIRST_BATCH;
  const isKept = !readFlag(options, 'singleBatch');
  return cursorReply(yield* cursors.open(ns, pages, size, isKept, clock.now()), ns, 'firstBatch');
}

/** Returns a batch as `{cursor: {id, ns, firstBatch | nextBatch}, ok: 1}`, copying stored bytes. */
function cursorReply({ cursorId, documents }: Batch, ns: string, name: 'firstBatch' | 'nextBatch'): Uint8Array {
  return encodeCursor({ id: cursorId, ns }, name, documents);
}

const getMore: Command = {
  fields: ['collection', 'batchSize'],
  *run({ cursors, clock }, { body, db }) {
    const id = body['getMore'];
    if (!(id instanceof Long)) throw wrongType('getMore.getMore', "type 'long'");
    const ns = `${db}.${String(body['collection'])}`;
    return cursorReply(yield* cursors.more(id, ns, readNumber(body, 'batchSize') ?? 0, clock.now()), ns, 'nextBatch');
  },
};

const killCursors: Command = {
  fields: ['cursors'],
  run({ cursors }, { body }) {
    const ids = (Array.isArray(body['cursors']) ? body['cursors'] : []).filter((id) => id instanceof Long);
    const killed = ids.filter((id) => cursors.kill(id));
    const cursorsNotFound = ids.filter((id) => !killed.includes(id));
    return { cursorsKilled: killed, cursorsNotFound, cursorsAlive: [], cursorsUnknown: [], ok: 1 };
  },
};

/** The only aggregation: the driver's countDocuments. */
const aggregate: Command = {
  fields: ['pipeline', 'cursor'],
  *run(engine, request) {
    const query = readCount(readDocs(request.body, 'pipeline', 'aggregate'));
    const n = yield* searchFor(engine, request, query).count();
    const counted = n === 0 ? [] : [encode({ _id: 1, n })];
    return yield* firstBatch(engine, request, readDoc(request.body, 'cursor') ?? {}, [counted].values());
  },
};

/** @throws {CommandError} when it is not `[{$match}, {$limit}?, {$group: {_id: 1, n: {$sum: 1}}}]`. */
function readCount(pipeline: readonly Doc[]): Query {
  const names = pipeline.flatMap(Object.keys).join(', ');
  const { $match: filter, $limit: limit, $group: group } = Object.assign({}, ...pipeline) as Doc;
  const isCount = isDoc(group) && Buffer.compare(encode(group), encode({ _id: 1, n: { $sum: 1 } })) === 0;
  if (!isCount || !isDoc(filter) || !/^\$match(, \$limit)?, \$group$/.test(names)) {
    throw new CommandError(
      40324,
      `Unrecognized pipeline: '${names}': the embedded store implements $match, $limit and $group of countDocuments only`,
    );
  }
  return { filter, limit: toNumber(limit) ?? 0 };
}

/** How a `find` runs and how many documents it reads, in MongoDB's terms. */
const explain: Command = {
  fields: ['verbosity'],
  *run(engine, request) {
    const body = request.body['explain'];
    if (!isDoc(body) || Object.keys(body)[0] !== 'find') throw notImplemented('explaining anything but find');
    checkFields('find', body, new Set(['find', '$db', ...FIND_FIELDS]));
    const search = searchFor(engine, { ...request, name: 'find', body }, readQuery(body));
    let nReturned = 0;
    for (const page of search.pages()) {
      nReturned += page.length;
      yield;
    }
    const executionStats = { executionSuccess: true, nReturned, totalDocsExamined: search.docsExamined };
    return { queryPlanner: { winningPlan: describe(search.plan) }, executionStats, ok: 1 };
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

export const findCommands: Readonly<Record<string, Command>> = { find, getMore, killCursors, aggregate, explain };
