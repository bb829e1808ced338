import type { Connection, Model } from 'mongoose';
import { withSignal } from '../database/deadline.ts';
import { isDuplicateKey } from '../database/errors.ts';
import { finishErasure } from './erasure.ts';
import { ALIVE, type User, type UserDocument, userModel } from './model.ts';

export interface Sighting {
  oid: string;
  name: string | undefined;
  at: Date;
}

const SHOWN = { _id: 0, oid: 1, name: 1, firstSeen: 1, lastSeen: 1 } as const;

/** Who may call. An interrupted erasure is finished before the person is looked up again. */
export class UserStore {
  readonly #connection: Connection;
  readonly #users: Model<UserDocument>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#users = userModel(connection);
  }

  /** Records that someone called, perhaps adding them. Returns whether they are known. */
  async note({ oid, name, at }: Sighting, mayAdd: boolean, signal: AbortSignal): Promise<boolean> {
    // A token without a name keeps the one from an earlier token.
    const seen = { lastSeen: at, ...(name !== undefined && { name }) };
    if (mayAdd) {
      await this.#upsert(oid, { $set: seen, $setOnInsert: { firstSeen: at } }, at, signal);
      return true;
    }
    const known = { oid: { $eq: oid }, ...ALIVE };
    const { matchedCount } = await this.#users.updateOne(known, { $set: seen }, withSignal(signal));
    if (matchedCount === 0) await finishErasure(this.#connection, oid, at);
    return matchedCount > 0;
  }

  async get(oid: string, signal?: AbortSignal): Promise<User | undefined> {
    const found = await this.#users
      .findOne({ oid: { $eq: oid }, ...ALIVE }, SHOWN)
      .setOptions(withSignal(signal))
      .lean<User>();
    return found ?? undefined;
  }

  /** Everybody, by `oid`. */
  async list(): Promise<User[]> {
    return await this.#users.find(ALIVE, SHOWN).sort({ oid: 1 }).lean<User[]>();
  }

  /** Adds someone before they call. Returns whether they are new; a given name replaces the known one. */
  async add(oid: string, name: string | undefined, at: Date): Promise<boolean> {
    const change = { $setOnInsert: { firstSeen: at }, ...(name !== undefined && { $set: { name } }) };
    return await this.#upsert(oid, change, at);
  }

  /** Returns whether they are new. */
  async #upsert(oid: string, change: object, at: Date, signal?: AbortSignal): Promise<boolean> {
    for (;;) {
      try {
        const options = { upsert: true, ...withSignal(signal) };
        const { upsertedCount } = await this.#users.updateOne({ oid: { $eq: oid }, ...ALIVE }, change, options);
        return upsertedCount > 0;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
      // Another instance has just added the same person, so that it is a plain update now; or they are being erased.
      await finishErasure(this.#connection, oid, at);
    }
  }
}
