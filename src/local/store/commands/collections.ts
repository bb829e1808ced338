import type { Collection, Index } from '../catalog.ts';
import { type Doc, encode, isDoc, toNumber } from '../documents.ts';
import { CommandError } from '../errors.ts';
import { parseFilter } from '../filter.ts';
import { Search } from '../query.ts';
import { indexRecord } from '../records.ts';
import type { Storage } from '../storage.ts';
import { type Command, type Engine, namespaceOf, readDoc, readDocs, type Request } from './command.ts';
import { firstBatch } from './find.ts';

const create: Command = {
  // Other options (capped, validator, timeseries, collation, …) are refused by name.
  fields: [],
  run({ catalog }, request) {
    // Without options nothing can differ: MongoDB also answers ok then.
    catalog.ensure(...namespaceOf(request));
    return { ok: 1 };
  },
};

const createIndexes: Command = {
  fields: ['indexes', 'commitQuorum'],
  run({ catalog, storage }, request) {
    const specs = readDocs(request.body, 'indexes', 'createIndexes').map(readSpec);
    const collection = catalog.ensure(...namespaceOf(request));
    const made: Index[] = [];
    try {
      for (const spec of specs) {
        if (exists(collection, spec)) continue;
        const index = catalog.addIndex(collection, spec);
        made.push(index);
        fill(storage, collection, index);
      }
    } catch (error) {
      for (const index of made) catalog.dropIndex(collection, index);
      throw error;
    }
    const numIndexesAfter = collection.indexes.length;
    return { numIndexesBefore: numIndexesAfter - made.length, numIndexesAfter, ok: 1 };
  },
};

const OPTIONS = ['v', 'key', 'name', 'unique', 'partialFilterExpression', 'expireAfterSeconds'];
// It has meant nothing to MongoDB since 4.2, and mongoose still sends it.
const IGNORED = 'background';

/** @throws {CommandError} naming what this store does not implement, or what is not a valid index. */
function readSpec(given: Doc): Doc {
  const unknown = Object.keys(given).find((name) => !OPTIONS.includes(name) && name !== IGNORED);
  if (unknown !== undefined) {
    throw new CommandError(
      197,
      `The field '${unknown}' is not valid for an index specification: the embedded store does not implement it`,
    );
  }
  const { key, name } = given;
  if (!isDoc(key) || Object.keys(key).length === 0) throw new CommandError(67, 'Index keys cannot be an empty object');
  if (typeof name !== 'string' || name === '') {
    throw new CommandError(9, "The 'name' field is a required property of an index specification");
  }
  for (const [path, direction] of Object.entries(key)) checkField(path, direction);
  parseFilter(readDoc(given, 'partialFilterExpression') ?? {});
  checkExpiry(given, key);
  const stored = Object.entries(given).filter(([option, value]) => option !== IGNORED && value !== false);
  return { ...Object.fromEntries(stored), v: 2 };
}

function checkField(path: string, direction: unknown): void {
  if (typeof direction === 'string') {
    throw new CommandError(67, `Unknown index plugin '${direction}': the embedded store does not implement it`);
  }
  const number = toNumber(direction);
  if (number === undefined || number === 0) {
    throw new CommandError(67, `Values in the index key pattern must be numbers other than 0: ${path}`);
  }
  if (path === '' || /[.$]/.test(path)) {
    throw new CommandError(67, `The embedded store implements indexes on members only, not on '${path}'`);
  }
}

function checkExpiry(spec: Doc, key: Doc): void {
  const MAX_EXPIRE_SECONDS = 2_147_483_647;
  const seconds = spec['expireAfterSeconds'];
  if (seconds === undefined) return;
  const number = toNumber(seconds);
  if (number === undefined || number < 0 || number > MAX_EXPIRE_SECONDS) {
    throw new CommandError(67, `TTL index 'expireAfterSeconds' option must be within 0 to ${MAX_EXPIRE_SECONDS}`);
  }
  if (Object.keys(key).length > 1) {
    throw new CommandError(67, 'TTL indexes are single-field indexes, compound indexes do not support TTL');
  }
  if (Object.hasOwn(key, '_id')) {
    throw new CommandError(67, "The field 'expireAfterSeconds' is not valid for an _id index specification");
  }
}

/** @throws {CommandError} when there is another index of that name, or the same one with other options. */
function exists({ indexes }: Collection, spec: Doc): boolean {
  const named = indexes.find(({ name }) => name === spec['name']);
  const keyed = indexes.find((index) => keyOf(index.spec) === keyOf(spec));
  if (keyed?.name === '_id_') return true;
  if (named !== keyed && named !== undefined) {
    throw new CommandError(
      86,
      `An existing index has the same name as the requested index. Requested index: ${named.name}`,
    );
  }
  if (keyed === undefined) return false;
  if (named === undefined || optionsOf(keyed.spec) !== optionsOf(spec)) {
    throw new CommandError(85, `Index already exists with a different name or options: ${keyed.name}`);
  }
  return true;
}

// As JSON, in which `1` and `1.0` are the same.
function keyOf({ key }: Doc): string {
  return JSON.stringify(key);
}

function optionsOf({ unique, partialFilterExpression, expireAfterSeconds }: Doc): string {
  return JSON.stringify([unique, partialFilterExpression, expireAfterSeconds]);
}

function fill(storage: Storage, collection: Collection, index: Index): void {
  for (const page of new Search(storage, collection, { filter: {} }).pages()) {
    for (const { rid, doc } of page) indexRecord(storage, collection, index, rid, doc);
  }
}

const listIndexes: Command = {
  fields: ['cursor'],
  run(engine, request) {
    const specs = required(engine, request).indexes.map(({ spec }) => encode(spec));
    return firstBatch(engine, request, readDoc(request.body, 'cursor') ?? {}, [specs].values());
  },
};

const dropIndexes: Command = {
  fields: ['index'],
  run(engine, request) {
    const collection = required(engine, request);
    const nIndexesWas = collection.indexes.length;
    const wanted = request.body['index'];
    const index = collection.indexes.find(({ name }) => name === wanted);
    if (index === undefined) throw new CommandError(27, `index not found with name [${String(wanted)}]`);
    if (index.name === '_id_') throw new CommandError(72, 'cannot drop _id index');
    engine.catalog.dropIndex(collection, index);
    return { nIndexesWas, ok: 1 };
  },
};

function required({ catalog }: Engine, request: Request): Collection {
  const [db, name] = namespaceOf(request);
  const collection = catalog.find(db, name);
  if (collection === undefined) throw new CommandError(26, `ns does not exist: ${db}.${name}`);
  return collection;
}

export const collectionCommands: Readonly<Record<string, Command>> = {
  create,
  createIndexes,
  listIndexes,
  dropIndexes,
};
