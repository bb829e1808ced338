import { decode, type Doc, encode, toNumber } from './documents.ts';
import { CommandError } from './errors.ts';
import { parseFilter, type Predicate, predicateOf } from './filter.ts';
import type { Direction } from './keys.ts';
import { indexedValue, type SortField } from './paths.ts';
import type { Storage } from './storage.ts';

/** What a TTL index is for. */
export interface Expiry {
  /** From the date in a document until it is removed. */
  readonly afterMs: number;
  /** When the first of its documents is due; undefined when that has to be looked up. */
  nextDueMs: number | undefined;
}

export interface Index {
  readonly id: number;
  readonly name: string;
  readonly fields: readonly SortField[];
  readonly isUnique: boolean;
  /** Of a partial or sparse index: whether it holds a document. */
  readonly includes: Predicate | undefined;
  readonly expiry: Expiry | undefined;
  /** As declared, for listIndexes and to compare with. */
  readonly spec: Doc;
}

export interface Collection {
  readonly id: number;
  readonly db: string;
  readonly name: string;
  /** `database.collection`. */
  readonly ns: string;
  readonly indexes: Index[];
}

interface Expiring {
  readonly collection: Collection;
  readonly index: Index;
  readonly expiry: Expiry;
}

const ID_INDEX: Doc = { v: 2, key: { _id: 1 }, name: '_id_' };

/** The collections and their indexes, in memory as in the database. */
export class Catalog {
  readonly #storage: Storage;
  readonly #collections = new Map<string, Collection>();
  #expiring: Expiring[] | undefined;

  constructor(storage: Storage) {
    this.#storage = storage;
    this.reload();
  }

  /** After a rollback: what is in memory may never have been written. */
  reload(): void {
    this.#expiring = undefined;
    this.#collections.clear();
    const byId = new Map<number, Collection>();
    for (const stored of this.#storage.collections()) {
      const collection = { ...stored, ns: `${stored.db}.${stored.name}`, indexes: [] };
      byId.set(stored.id, collection);
      this.#collections.set(collection.ns, collection);
    }
    for (const { id, collection, spec } of this.#storage.indexes()) {
      byId.get(collection)?.indexes.push(readIndex(id, decode(spec)));
    }
  }

  all(): Collection[] {
    return [...this.#collections.values()];
  }

  of(db: string): Collection[] {
    return this.all().filter((collection) => collection.db === db);
  }

  /** The TTL indexes of all collections. */
  expiring(): readonly Expiring[] {
    return (this.#expiring ??= this.all().flatMap((collection) =>
      collection.indexes.flatMap((index) => {
        const { expiry } = index;
        return expiry === undefined ? [] : [{ collection, index, expiry }];
      }),
    ));
  }

  find(db: string, name: string): Collection | undefined {
    return this.#collections.get(`${db}.${name}`);
  }

  /** The collection, made when it is not there, as MongoDB does on the first write. */
  ensure(db: string, name: string): Collection {
    return this.find(db, name) ?? this.#create(db, name);
  }

  #create(db: string, name: string): Collection {
    checkNamespace(db, name);
    const id = this.#storage.addCollection(db, name);
    const collection = { id, db, name, ns: `${db}.${name}`, indexes: [] };
    this.#collections.set(collection.ns, collection);
    this.addIndex(collection, ID_INDEX);
    return collection;
  }

  drop(collection: Collection): void {
    this.#expiring = undefined;
    for (const index of collection.indexes) this.#storage.removeIndex(index.id);
    this.#storage.removeCollection(collection.id);
    this.#collections.delete(collection.ns);
  }

  addIndex(collection: Collection, spec: Doc): Index {
    this.#expiring = undefined;
    const index = readIndex(this.#storage.addIndex(collection.id, encode(spec)), spec);
    collection.indexes.push(index);
    return index;
  }

  dropIndex(collection: Collection, index: Index): void {
    this.#expiring = undefined;
    this.#storage.removeIndex(index.id);
    collection.indexes.splice(collection.indexes.indexOf(index), 1);
  }
}

function readIndex(id: number, spec: Doc): Index {
  const seconds = toNumber(spec['expireAfterSeconds']);
  return {
    id,
    name: String(spec['name']),
    fields: Object.entries(spec['key'] as Doc).map(([path, direction]) => ({
      path,
      direction: Math.sign(toNumber(direction) ?? 1) as Direction,
    })),
    isUnique: spec['unique'] === true || spec['name'] === '_id_',
    includes: inclusionOf(spec),
    expiry: seconds === undefined ? undefined : { afterMs: seconds * 1000, nextDueMs: undefined },
    spec,
  };
}

function inclusionOf(spec: Doc): Predicate | undefined {
  const partial = spec['partialFilterExpression'] as Doc | undefined;
  if (partial !== undefined) return predicateOf(parseFilter(partial));
  if (spec['sparse'] !== true) return undefined;
  const paths = Object.keys(spec['key'] as Doc);
  return (doc) => paths.some((path) => indexedValue(doc, path) !== undefined);
}

/** @throws {CommandError} InvalidNamespace. */
function checkNamespace(db: string, name: string): void {
  const isValid = /^[^/\\. "$*<>:|?\0]{1,63}$/.test(db) && /^[^$\0]+$/.test(name) && !/^\.|\.$|^system\./.test(name);
  if (!isValid || Buffer.byteLength(`${db}.${name}`) > 255) {
    throw new CommandError(73, `Invalid namespace specified '${db}.${name}'`);
  }
}
