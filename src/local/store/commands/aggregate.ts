import { encode, isDoc, toNumber, type Doc } from '../documents.ts';
import { CommandError, notImplemented } from '../errors.ts';
import { compileFilter } from '../filter.ts';
import { candidatesAt, parseSort, sortKey } from '../paths.ts';
import { countOf, findDocuments, type Query } from '../query.ts';
import {
  collectionName,
  findCollection,
  readDoc,
  readDocs,
  readNumber,
  type Command,
  type Engine,
  type Request,
} from './command.ts';
import { openCursor, readQuery } from './find.ts';

/** The commands behind countDocuments (a pipeline), estimatedDocumentCount and distinct. */

// The order in which countDocuments puts them; each at most once.
const STAGES = ['$match', '$sort', '$skip', '$limit', '$group'] as const;
type Stages = Partial<Record<(typeof STAGES)[number], unknown>>;

const aggregate: Command = {
  fields: ['pipeline', 'cursor', 'allowDiskUse'],
  isWrite: false,
  run(engine, request) {
    const stages = readStages(readDocs(request.body, 'pipeline', 'aggregate'));
    const query: Query = {
      filter: readDoc(stages, '$match') ?? {},
      sort: parseSort(readDoc(stages, '$sort')),
      skip: readNumber(stages, '$skip') ?? 0,
      limit: readNumber(stages, '$limit') ?? 0,
    };
    const found = find(engine, request, query);
    const results = stages.$group === undefined ? bytesOf(found) : counted(found, stages.$group);
    const ns = `${request.db}.${collectionName(request)}`;
    return openCursor(engine, ns, results, readDoc(request.body, 'cursor') ?? {});
  },
};

function readStages(pipeline: readonly Doc[]): Stages {
  const stages: Stages = {};
  let last = -1;
  for (const stage of pipeline) {
    const [name = '', ...others] = Object.keys(stage);
    if (others.length > 0)
      throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.');
    const at = STAGES.findIndex((each) => each === name);
    if (at === -1) {
      throw new CommandError(
        40324,
        `Unrecognized pipeline stage name: '${name}' is not implemented by the embedded store`,
      );
    }
    if (at <= last) throw notImplemented(`the stage '${name}' at this place of a pipeline`);
    stages[STAGES[at] ?? '$match'] = stage[name];
    last = at;
  }
  return stages;
}

function find(engine: Engine, request: Request, query: Query): Iterable<{ bson: Uint8Array; doc: Doc }> {
  const collection = findCollection(engine, request);
  if (collection !== undefined) return findDocuments(engine.storage, collection, query);
  compileFilter(query.filter);
  return [];
}

function* bytesOf(found: Iterable<{ bson: Uint8Array }>): Generator<Uint8Array> {
  for (const { bson } of found) yield bson;
}

/** Only `{_id: 1, n: {$sum: 1}}`, which is a count. */
function counted(found: Iterable<unknown>, group: unknown): Iterator<Uint8Array> {
  const { _id: id = null, n, ...others } = isDoc(group) ? group : {};
  const isCount = isDoc(n) && toNumber(n['$sum']) === 1 && Object.keys(n).length === 1;
  if (!isCount || Object.keys(others).length > 0 || (id !== null && toNumber(id) === undefined)) {
    throw new CommandError(
      40324,
      "Unrecognized pipeline stage: '$group' other than a count is not implemented by the embedded store",
    );
  }
  const count = countOf(found);
  return (count === 0 ? [] : [encode({ _id: id, n: count })]).values();
}

const count: Command = {
  fields: ['query', 'limit', 'skip'],
  isWrite: false,
  run(engine, request) {
    const { filter, skip = 0, limit = 0 } = readQuery(request.body, 'query');
    const collection = findCollection(engine, request);
    const isWhole = Object.keys(filter).length === 0 && skip === 0 && limit === 0;
    if (collection !== undefined && isWhole) return { n: engine.storage.countDocuments(collection.id), ok: 1 };
    return { n: countOf(find(engine, request, { filter, skip, limit })), ok: 1 };
  },
};

const distinct: Command = {
  fields: ['key', 'query'],
  isWrite: false,
  run(engine, request) {
    const { key } = request.body;
    if (typeof key !== 'string')
      throw new CommandError(14, "BSON field 'distinct.key' is the wrong type, expected type 'string'");
    const values = new Map<string, unknown>();
    for (const { doc } of find(engine, request, readQuery(request.body, 'query'))) {
      for (const value of candidatesAt(doc, key)) {
        if (value === undefined || Array.isArray(value)) continue;
        values.set(sortKey({ value }, [{ path: 'value', direction: 1 }]).toString('latin1'), value);
      }
    }
    return { values: [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value), ok: 1 };
  },
};

export const aggregateCommands: Readonly<Record<string, Command>> = { aggregate, count, distinct };
