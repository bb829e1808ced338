import type { Collection, Index } from '../catalog.ts';
import { decode, type Doc, encode, isDoc, toNumber } from '../documents.ts';
import { CommandError } from '../errors.ts';
import { parseFilter } from '../filter.ts';
import { indexRecord } from '../records.ts';
import type { Storage } from '../storage.ts';
import {
  collectionName,
  type Command,
  type Engine,
  findCollection,
  readDoc,
  readDocs,
  readFlag,
  type Request,
} from './command.ts';
import { openCursor } from './find.ts';

const OPTIONS = new Set([
  'v',
  'key',
  'name',
  'unique',
  'sparse',
  'partialFilterExpression',
  'expireAfterSeconds',
  'background',
  'ns',
]);
// 'background' has meant nothing to MongoDB since 4.2.
const NOT_STORED = new Set(['background', 'ns', 'v']);
const MAX_EXPIRE_SECONDS = 2_147_483_647;

const createIndexes: Command = {
  fields: ['indexes', 'commitQuorum'],
  isWrite: true,
  run(engine, request) {
    const specs = readDocs(request.body, 'indexes', 'createIndexes').map(readSpec);
    const isNew = engine.catalog.find(request.db, collectionName(request)) === undefined;
    const collection = engine.catalog.ensure(request.db, collectionName(request));
    const before = collection.indexes.length;
    for (const spec of specs) if (!exists(collection, spec)) build(engine, collection, spec);
    const after = collection.indexes.length;
    return {
      numIndexesBefore: before,
      numIndexesAfter: after,
      createdCollectionAutomatically: isNew,
      ...(before === after ? { note: 'all indexes already exist' } : {}),
      ok: 1,
    };
  },
};

/** @throws {CommandError} naming what this store does not implement, or what no index can be. */
function readSpec(given: Doc): Doc {
  const unknown = Object.keys(given).find((name) => !OPTIONS.has(name));
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
  checkPartial(given);
  checkExpiry(given, key);
  const stored = Object.entries(given).filter(([option, value]) => !NOT_STORED.has(option) && value !== false);
  return { v: 2, ...Object.fromEntries(stored) };
}

function checkField(path: string, direction: unknown): void {
  if (typeof direction === 'string') {
    throw new CommandError(67, `Unknown index plugin '${direction}': the embedded store does not implement it`);
  }
  const number = toNumber(direction);
  if (number === undefined || number === 0) {
    throw new CommandError(67, `Values in the index key pattern must be numbers other than 0: ${path}`);
  }
  if (path === '' || path.split('.').includes('')) throw new CommandError(67, 'Index keys cannot be an empty field');
  if (path.includes('$')) throw new CommandError(67, `Index key contains an illegal field name or wildcard: '${path}'`);
}

function checkPartial(spec: Doc): void {
  const partial = spec['partialFilterExpression'];
  if (partial === undefined) return;
  if (readFlag(spec, 'sparse')) throw new CommandError(67, "cannot mix 'partialFilterExpression' and 'sparse' options");
  if (!isDoc(partial)) throw new CommandError(67, "'partialFilterExpression' for an index has to be a document");
  parseFilter(partial);
}

function checkExpiry(spec: Doc, key: Doc): void {
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
function exists(collection: Collection, spec: Doc): boolean {
  const same = (a: unknown, b: unknown): boolean => Buffer.compare(encode({ a }), encode({ a: b })) === 0;
  const named = collection.indexes.find(({ name }) => name === spec['name']);
  const keyed = collection.indexes.find((index) => same(pattern(index.spec), pattern(spec)));
  if (keyed?.name === '_id_') return true;
  if (named !== undefined && named !== keyed) {
    throw new CommandError(
      86,
      `An existing index has the same name as the requested index. Requested index: ${String(spec['name'])}`,
    );
  }
  if (keyed === undefined) return false;
  if (named === undefined || !same(optionsOf(keyed.spec), optionsOf(spec))) {
    throw new CommandError(85, `Index already exists with a different name or options: ${keyed.name}`);
  }
  return true;
}

/** The key with plain numbers, so that `1` and `1.0` are the same pattern. */
function pattern(spec: Doc): [string, number | undefined][] {
  return Object.entries(spec['key'] as Doc).map(([path, direction]) => [path, toNumber(direction)]);
}

function optionsOf(spec: Doc): unknown {
  return [
    spec['unique'] ?? null,
    spec['sparse'] ?? null,
    spec['partialFilterExpression'] ?? null,
    toNumber(spec['expireAfterSeconds']) ?? null,
  ];
}

function build({ storage, catalog }: Engine, collection: Collection, spec: Doc): void {
  const index = catalog.addIndex(collection, spec);
  fill(storage, collection, index);
}

function fill(storage: Storage, collection: Collection, index: Index): void {
  const PAGE = 500;
  for (let after = -1; ;) {
    const rows = storage.natural(collection.id, after, PAGE);
    for (const { rid, bson } of rows) indexRecord(storage, collection, index, rid, decode(bson));
    if (rows.length < PAGE) return;
    after = rows.at(-1)?.rid ?? 0;
  }
}

function required(engine: Engine, request: Request): Collection {
  const collection = findCollection(engine, request);
  if (collection === undefined) {
    throw new CommandError(26, `ns does not exist: ${request.db}.${collectionName(request)}`);
  }
  return collection;
}

const listIndexes: Command = {
  fields: ['cursor'],
  isWrite: false,
  steps(engine, request) {
    const collection = required(engine, request);
    const ns = `${request.db}.$cmd.listIndexes.${collection.name}`;
    const specs = collection.indexes.map(({ spec }) => encode(spec));
    return openCursor(engine, ns, specs, readDoc(request.body, 'cursor') ?? {});
  },
};

const dropIndexes: Command = {
  fields: ['index'],
  isWrite: true,
  run(engine, request) {
    const collection = required(engine, request);
    const nIndexesWas = collection.indexes.length;
    for (const index of chosen(collection, request.body['index'])) engine.catalog.dropIndex(collection, index);
    return { nIndexesWas, ok: 1 };
  },
};

function chosen(collection: Collection, wanted: unknown): Index[] {
  if (wanted === '*') return collection.indexes.filter(({ name }) => name !== '_id_');
  if (Array.isArray(wanted)) return wanted.flatMap((each) => chosen(collection, each));
  const found = collection.indexes.find(({ name, spec }) =>
    isDoc(wanted) ? JSON.stringify(pattern(spec)) === JSON.stringify(pattern({ key: wanted })) : name === wanted,
  );
  if (found?.name === '_id_') throw new CommandError(72, 'cannot drop _id index');
  if (found === undefined) throw new CommandError(27, `index not found with name [${String(wanted)}]`);
  return [found];
}

export const indexCommands: Readonly<Record<string, Command>> = { createIndexes, listIndexes, dropIndexes };
