import type { Model, QueryFilter, Types } from 'mongoose';
import { isDuplicateKey } from '../database/errors.ts';

interface Owned {
  _id: unknown;
  owner: string;
}

/**
 * A condition on one member. A value stands behind an operator, so that none can bring an operator of its own; null
 * also holds for a member that is not there.
 */
export type Condition<V> =
  | null
  | { $eq?: V | null; $ne?: V | null; $gt?: V; $gte?: V; $lt?: V; $lte?: V; $in?: (V | null)[] }
  | { $regex: string; $options: string };

/** A condition on a list holds when it does for one of its elements. */
type One<V> = V extends readonly (infer Element)[] ? Element : V;

/** Conditions on an owner's documents. The owner is not among them: it is added to every one. */
export type Where<T extends Owned> = { [K in Exclude<keyof T, 'owner'>]?: Condition<One<NonNullable<T[K]>>> } & {
  owner?: never;
  $or?: Where<T>[];
  $and?: Where<T>[];
};

/** A document but for its owner, who is added as well. */
export type Content<T extends Owned> = Omit<T, 'owner'>;

export interface Page {
  sort: Record<string, 1 | -1>;
  limit: number;
}

/** Values to set. */
export interface Update<T extends Owned> {
  $set: Partial<Content<T>>;
}

/**
 * One owner's documents in one collection, within one request. Every filter is built here and leads with the owner, so
 * nothing outside can be read or changed, and every operation ends when the request's time does.
 */
export class OwnedCollection<T extends Owned> {
  readonly #model: Model<T>;
  readonly #owner: string;
  readonly #signal: AbortSignal;

  constructor(model: Model<T>, owner: string, signal: AbortSignal) {
    // The driver would send an undefined owner as null, which matches every document without one.
    if (typeof owner !== 'string' || owner === '') throw new TypeError('an owner is a non-empty string');
    this.#model = model;
    this.#owner = owner;
    this.#signal = signal;
  }

  async find(where: Where<T>, { sort, limit }: Page): Promise<T[]> {
    const query = this.#model.find(this.#mine(where), null, this.#options());
    // Within one batch, however large: a cursor left open would be one more command.
    return await query
      .sort(sort)
      .limit(limit)
      .batchSize(limit + 1)
      .lean();
  }

  async findOne(where: Where<T>): Promise<T | undefined> {
    const found = await this.#model.findOne(this.#mine(where), null, this.#options()).lean();
    return found ?? undefined;
  }

  /** False when a document with such an id, or another unique member, exists. */
  async insert(document: Content<T>): Promise<boolean> {
    try {
      // `Model.create` and `save` would not pass the signal on.
      await this.#model.collection.insertOne(this.#whole(document) as never, this.#options());
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** Replaces the one document that these conditions hold for, atomically. False when there is none. */
  async replace(where: Where<T>, document: Content<T>): Promise<boolean> {
    const result = await this.#model.replaceOne(this.#mine(where), this.#whole(document), this.#options());
    return result.matchedCount === 1;
  }

  /** Many replacements in one command, each atomic in itself. Resolves to how many of them found their document. */
  async replaceEach(replacements: { where: Where<T>; document: Content<T> }[]): Promise<number> {
    const operations = replacements.map(({ where, document }) => ({
      replaceOne: { filter: this.#mine(where), replacement: this.#whole(document) },
    }));
    const result = await this.#model.bulkWrite(operations as never, { ordered: false, ...this.#options() });
    return result.matchedCount;
  }

  /** Resolves to how many documents the conditions hold for. */
  async update(where: Where<T>, update: Update<T>): Promise<number> {
    const result = await this.#model.updateMany(this.#mine(where), update as never, this.#options());
    return result.matchedCount;
  }

  #mine(where: Where<T>): QueryFilter<T> {
    // Sent first; and last, so that nothing in `where` could take its place.
    const owner = { owner: { $eq: this.#owner } };
    return { ...owner, ...where, ...owner };
  }

  #whole(document: Content<T>): T {
    return { ...document, owner: this.#owner } as unknown as T;
  }

  /** An object of no known members: the types know no signal on writes, but the driver takes one. */
  #options(): object {
    return { signal: this.#signal };
  }
}

/** A condition that no value can turn into an operator. */
export function equals<V extends string | number | boolean | Date | Types.ObjectId | null>(value: V): { $eq: V } {
  return { $eq: value };
}
