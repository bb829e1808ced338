import type { Connection, Model } from 'mongoose';

import { withSignal } from '../database/deadline.ts';
import { isDuplicateKey } from '../database/errors.ts';
import { userModel, type User } from './model.ts';

export interface Sighting {
  oid: string;
  name: string | undefined;
  at: Date;
}

/** Who may call. The only place that reads or writes the `users` collection. */
export class UserStore {
  readonly #users: Model<User>;

  constructor(connection: Connection) {
    this.#users = userModel(connection);
  }

  /** Notes that someone called, and adds them when they are new. */
  async register(sighting: Sighting, signal: AbortSignal): Promise<void> {
    try {
      await this.#upsert(sighting, signal);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      // Another instance has just added the same person; now it is a plain update.
      await this.#upsert(sighting, signal);
    }
  }

  /** Notes that someone called, if they are known. Answers whether they are. */
  async touch({ oid, name, at }: Sighting, signal: AbortSignal): Promise<boolean> {
    const change = { $set: { lastSeen: at, ...named(name) } };
    const { matchedCount } = await this.#users.updateOne({ oid: { $eq: oid } }, change, withSignal(signal));
    return matchedCount > 0;
  }

  async get(oid: string, signal?: AbortSignal): Promise<User | undefined> {
    const found = await this.#users
      .findOne({ oid: { $eq: oid } }, { _id: 0 })
      .setOptions(withSignal(signal))
      .lean<User>();
    return found ?? undefined;
  }

  /** Everybody, by `oid`. */
  async list(): Promise<User[]> {
    return await this.#users.find({}, { _id: 0 }).sort({ oid: 1 }).lean<User[]>();
  }

  /** Adds someone before they call. Answers whether they are new; a name given replaces the one that is known. */
  async add(oid: string, name: string | undefined, at: Date): Promise<boolean> {
    const change = { $setOnInsert: { firstSeen: at }, ...(name !== undefined && { $set: { name } }) };
    const { upsertedCount } = await this.#users.updateOne({ oid: { $eq: oid } }, change, { upsert: true });
    return upsertedCount > 0;
  }

  async #upsert({ oid, name, at }: Sighting, signal: AbortSignal): Promise<void> {
    const change = { $set: { lastSeen: at, ...named(name) }, $setOnInsert: { firstSeen: at } };
    await this.#users.updateOne({ oid: { $eq: oid } }, change, { upsert: true, ...withSignal(signal) });
  }
}

/** A token without a name does not unlearn the one that an earlier token had. */
function named(name: string | undefined): { name?: string } {
  return name === undefined ? {} : { name };
}
