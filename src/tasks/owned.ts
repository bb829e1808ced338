import { LRUCache } from 'lru-cache';
import type { Model } from 'mongoose';
import { DEADLINE_MS, withSignal } from '../database/deadline.ts';
import { isDuplicateKey, refusedOnes } from '../database/errors.ts';
import { findAll, type FindOptions } from '../database/find.ts';
import { anyOf, oncePer, Together } from '../database/together.ts';
import { StoreUnavailableError } from '../errors.ts';

interface Owned {
  _id: unknown;
  owner: string;
}

/**
 * A condition on one member. Values always come with an operator, so that none can bring its own; null also matches an
 * absent member.
 */
type Condition<V> = null | { $eq?: V | null; $ne?: V | null; $gt?: V; $gte?: V; $lt?: V; $lte?: V; $in?: (V | null)[] };

/** A condition on a list holds when it does for one of its elements. */
type One<V> = V extends readonly (infer Element)[] ? Element : V;

/** Conditions on an owner's documents. The owner is not among them: it is added to every one. */
export type Where<T extends Owned> = { [K in Exclude<keyof T, 'owner'>]?: Condition<One<NonNullable<T[K]>>> } & {
  owner?: never;
  $or?: Where<T>[];
  $and?: Where<T>[];
};

/** A document without its owner, which is added as well. */
export type Content<T extends Owned> = Omit<T, 'owner'>;

/** Which of them to read. */
type Portion = Omit<FindOptions, 'batchSize'> & { limit: number };

/** Checks, around storing something new, that the owner has not been erased. */
export interface Life {
  /**
   * Call it before storing: registers the owner for a new life if the last one has ended.
   *
   * @returns a check, for after storing, whether it may stay.
   */
  begin(signal: AbortSignal): Promise<(signal: AbortSignal) => Promise<boolean>>;
}

/** The owner was erased meanwhile. The same request, repeated, is the first of a new life, or is refused. */
export class LifeEndedError extends StoreUnavailableError {}

/** Whose documents, until when. */
export interface Ownership {
  /** The caller's owner id: a non-empty string. */
  owner: string;
  /** Ends every operation when the request's time is over. */
  signal: AbortSignal;
  life: Life;
}

/**
 * One owner's documents in one collection, within one request. Every filter is built here and starts with the owner, so
 * nothing else can be read or changed, and every operation ends when the request's time does.
 */
export class OwnedCollection<T extends Owned> {
  readonly #model: Model<T>;
  readonly #by: Ownership;

  constructor(model: Model<T>, by: Ownership) {
    // The driver would send an undefined owner as null, which matches every document without one.
    if (typeof by.owner !== 'string' || by.owner === '') throw new TypeError('an owner is a non-empty string');
    this.#model = model;
    this.#by = by;
  }

  async find(where: Where<T>, portion: Portion): Promise<T[]> {
    return await this.#found(where, portion);
  }

  async findOne(where: Where<T>): Promise<T | undefined> {
    const [one] = await this.#found(where, { limit: 1 });
    return one;
  }

  /** By its id; under load, several reads share one command. */
  async get(id: T['_id']): Promise<T | undefined> {
    const found = await reading(this.#collection).ask({ _id: id, owner: this.#by.owner }, this.#by.signal);
    return found as T | undefined;
  }

  /** How many there are, counted up to a limit. */
  async count(where: Where<T>, limit: number): Promise<number> {
    return await this.#model.countDocuments(this.#mine(where), {
      ...withSignal(this.#by.signal),
      maxTimeMS: DEADLINE_MS,
      limit,
    });
  }

  /**
   * Returns false if a document with that id, or another unique member, exists.
   *
   * @throws {LifeEndedError} when the owner was erased meanwhile; then it is not stored.
   */
  async insert(document: Content<T>): Promise<boolean> {
    const mayStay = await this.#by.life.begin(this.#by.signal);
    if (!(await this.#insertNew(document))) return false;
    if (await mayStay(this.#by.signal)) return true;
    const { deletedCount } = await this.#model.deleteOne(
      this.#mine(this.#sameState(document)),
      withSignal(this.#by.signal),
    );
    // If it is gone but its id is not, it was moved to another owner: it is stored, and theirs.
    const isTheirs =
      deletedCount === 0 && (await this.#model.exists({ _id: document._id }).setOptions(withSignal(this.#by.signal)));
    if (isTheirs) return true;
    throw new LifeEndedError();
  }

  async remove(where: Where<T>): Promise<void> {
    await this.#model.deleteMany(this.#mine(where), withSignal(this.#by.signal));
  }

  /** Atomically replaces the one document that meets these conditions. Returns false if there is none. */
  async replace(where: Where<T>, document: Content<T>): Promise<boolean> {
    const result = await this.#model.replaceOne(this.#mine(where), this.#whole(document), withSignal(this.#by.signal));
    return result.matchedCount === 1;
  }

  /** Many replacements in one command, each atomic by itself. Resolves to the number that found their document. */
  async replaceEach(replacements: { where: Where<T>; document: Content<T> }[]): Promise<number> {
    const operations = replacements.map(({ where, document }) => ({
      replaceOne: { filter: this.#mine(where), replacement: this.#whole(document) },
    }));
    const result = await this.#model.bulkWrite(operations as never, { ordered: false, ...withSignal(this.#by.signal) });
    return result.matchedCount;
  }

  /** Sets these members wherever the conditions hold. */
  async update(where: Where<T>, members: Partial<Content<T>>): Promise<void> {
    await this.#model.updateMany(this.#mine(where), { $set: members } as never, withSignal(this.#by.signal));
  }

  async #insertNew(document: Content<T>): Promise<boolean> {
    try {
      await inserting(this.#collection).ask(this.#whole(document), this.#by.signal);
      return true;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      // Not if the driver has repeated it on a store that does not recognise repeated writes.
      return (await this.#found(this.#sameState(document), { limit: 1 })).length > 0;
    }
  }

  async #found(where: Where<T>, portion: Portion): Promise<T[]> {
    const options = { ...portion, batchSize: portion.limit + 1 };
    return (await findAll(this.#collection, this.#mine(where), options, this.#by.signal)) as unknown as T[];
  }

  /** This very document, and not what may have taken its place. */
  #sameState({ _id, version }: Content<T> & { version?: unknown }): Where<T> {
    return { _id: { $eq: _id }, ...(version !== undefined && { version: { $eq: version } }) } as unknown as Where<T>;
  }

  /** The driver's collection, for the hot path: the types tie filters to the schema, so there is nothing to cast. */
  get #collection(): Model<T>['collection'] {
    return this.#model.collection;
  }

  #mine(where: Where<T>): object {
    // First on the wire; and set last, so that nothing in `where` can replace it.
    const owner = { owner: { $eq: this.#by.owner } };
    return { ...owner, ...where, ...owner };
  }

  #whole(document: Content<T>): T {
    return { ...document, owner: this.#by.owner } as unknown as T;
  }
}

/** Owners remembered; one more only costs a query. */
const MAX_REMEMBERED = 10_000;

/** What is remembered about owners. Separate for each connection: two instances in one process share no more than two processes. */
export function memoryOfOwners<M extends object>(): (model: object) => LRUCache<string, M> {
  return oncePer(() => new LRUCache<string, M>({ max: MAX_REMEMBERED }));
}

type Collection = Model<unknown>['collection'];

const reading = oncePer(
  (collection: Collection) =>
    new Together<Owned, Owned | undefined>(async (wanted, signal) => {
      const filter: object = {
        owner: anyOf(wanted.map(({ owner }) => owner)),
        _id: anyOf(wanted.map(({ _id }) => _id)),
      };
      const found = (await findAll(collection, filter, { batchSize: wanted.length + 1 }, signal)) as unknown as Owned[];
      // Among several owners, one may have asked for another's document; and two shards may have the same id.
      const owned = new Map(found.map((document) => [nameOf(document), document]));
      return wanted.map((one) => owned.get(nameOf(one)));
    }),
);

function nameOf({ _id, owner }: Owned): string {
  return `${String(_id)} ${owner}`;
}

const inserting = oncePer(
  (collection: Collection) =>
    new Together<Owned, true>(async (documents, signal) => {
      try {
        await collection.insertMany(documents as never, { ordered: false, ...withSignal(signal) });
        return documents.map(() => true);
      } catch (error) {
        const refused = refusedOnes(error);
        return documents.map((_, place) => refused.get(place) ?? true);
      }
    }),
);
