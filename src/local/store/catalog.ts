import { decode, type Doc, encode, toNumber } from './documents.ts';
import { CommandError } from './errors.ts';
import { parseFilter, type Predicate, predicateOf } from './filter.ts';
import type { Field } from './keys.ts';
import type { Storage } from './storage.ts';

export interface Index {
  readonly id: number;
  readonly name: string;
  readonly fields: readonly Field[];
  readonly isUnique: boolean;
  /** For a partial index: whether it includes a document. */
  readonly includes: Predicate | undefined;
  /** For a TTL index: from the date in a document until it is removed. */
  readonly expireAfterMs: number | undefined;
  /** As declared, for listIndexes and for comparison. */
  readonly spec: Doc;
}

export interface Collection {
  readonly id: number;
  /** `database.collection`. */
  readonly ns: string;
  readonly indexes: Index[];
}

const ID_INDEX: Doc = { v: 2, key: { _id: 1 }, name: '_id_' };

/** The collections and their indexes, mirrored in memory. */
export class Catalog {
  readonly #storage: Storage;
  readonly #collections = new Map<string, Collection>();

  constructor(storage: Storage) {
    this.#storage = storage;
    this.reload();
  }

  /** After a rollback: what is in memory may never have been written. */
  reload(): void {
    this.#collections.clear();
    const byId = new Map<number, Collection>();
    for (const { id, db, name } of this.#storage.collections()) byId.set(id, this.#add(id, `${db}.${name}`));
    for (const { id, collection, spec } of this.#storage.indexes()) {
      byId.get(collection)?.indexes.push(readIndex(id, decode(spec)));
    }
  }

  all(): Iterable<Collection> {
    return this.#collections.values();
  }

  find(db: string, name: string): Collection | undefined {
    return this.#collections.get(`${db}.${name}`);
  }

  /** The collection to read from; an empty one if it does not exist. */
  view(db: string, name: string): Collection {
    return this.find(db, name) ?? { id: -1, ns: `${db}.${name}`, indexes: [readIndex(-1, ID_INDEX)] };
  }

  /** The collection to write to, created by the first write, as in MongoDB. */
  ensure(db: string, name: string): Collection {
    return this.find(db, name) ?? this.#create(db, name);
  }

  #create(db: string, name: string): Collection {
    checkNamespace(db, name);
    const collection = this.#add(this.#storage.addCollection(db, name), `${db}.${name}`);
    this.addIndex(collection, ID_INDEX);
    return collection;
  }

  #add(id: number, ns: string): Collection {
    const collection = { id, ns, indexes: [] };
    this.#collections.set(ns, collection);
    return collection;
  }

  addIndex(collection: Collection, spec: Doc): Index {
    const index = readIndex(this.#storage.addIndex(collection.id, encode(spec)), spec);
    collection.indexes.push(index);
    return index;
  }

  dropIndex(collection: Collection, index: Index): void {
    this.#storage.removeIndex(index.id);
    collection.indexes.splice(collection.indexes.indexOf(index), 1);
  }
}

function readIndex(id: number, spec: Doc): Index {
  const partial = spec['partialFilterExpression'] as Doc | undefined;
  const seconds = toNumber(spec['expireAfterSeconds']);
  return {
    id,
    name: String(spec['name']),
    fields: Object.entries(spec['key'] as Doc).map(([path, direction]) => ({
      path,
      direction: (toNumber(direction) ?? 1) > 0 ? 1 : -1,
    })),
    isUnique: spec['unique'] === true || spec['name'] === '_id_',
    includes: partial && predicateOf(parseFilter(partial)),
    expireAfterMs: seconds === undefined ? undefined : seconds * 1000,
    spec,
  };
}

/** @throws {CommandError} InvalidNamespace. */
function checkNamespace(db: string, name: string): void {
  const isValid = /^[^/\\. "$*<>:|?\0]{1,63}$/.test(db) && /^[^$\0]+$/.test(name) && !/^\.|\.$|^system\./.test(name);
  if (!isValid || Buffer.byteLength(`${db}.${name}`) > 255) {
    throw new CommandError(73, `Invalid namespace specified '${db}.${name}'`);
  }
}
