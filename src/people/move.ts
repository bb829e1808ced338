/**
 * Gives one person's tasks to another: for someone whose object id has changed. Live and in batches, each written down in
 * the receiver's record before it is carried out, so that it may be interrupted anywhere and run again.
 *
 * A task keeps its id and gets a new version, and the receiver's devices hear of it as changed. Ids are unique over all
 * owners, so none can be in the way. The giver keeps a tombstone with an id of its own that names the task (`gone`), so that
 * their devices hear that it is removed; their own tombstones and sync tokens stay with them. A write of the giver that
 * comes too late finds no task (404), or the id taken (409).
 */
import { randomBytes } from 'node:crypto';

import mongoose, { type Connection } from 'mongoose';

import { requestDeadline, withSignal } from '../database/deadline.ts';
import { isDuplicateKey } from '../database/errors.ts';
import { reownedId } from '../database/ownedId.ts';
import { ALIVE, userModel, type Receiving, type UserDocument } from './model.ts';
import { UserStore } from './store.ts';

const { ObjectId } = mongoose.Types;
type Collection = mongoose.Collection;

/** Documents that one command moves. */
const BATCH = 200;

/** One of the two was erased while their tasks were being moved. What was not moved is where it was. */
export class MoveInterruptedError extends Error {
  constructor(oid: string) {
    super(`${oid} is being erased: run the command again if the rest is still to be moved`);
  }
}

export interface Moved {
  tasks: number;
  creations: number;
}

/**
 * Moves everything that there is, and what comes while it runs; ends when nothing is left to move. May be run again, and by
 * two at once.
 *
 * @throws {MoveInterruptedError}
 */
export async function movePerson(connection: Connection, from: string, to: string, at: Date): Promise<Moved> {
  await new UserStore(connection).add(to, undefined, at);
  const mover = await Mover.begin(connection, from, to, at);
  const moved = { tasks: 0, creations: 0 };
  do {
    // First: a repeated POST of the receiver then finds its task's id, wherever the task is by now.
    moved.creations += await mover.moveCreations();
    moved.tasks += await mover.moveTasks();
    await mover.joinUsers();
  } while (await mover.hasMore());
  return moved;
}

class Mover {
  readonly #connection: Connection;
  readonly #from: string;
  readonly #to: string;
  readonly #at: Date;
  readonly #tasks: Collection;
  readonly #creations: Collection;
  /** The receiver as they were when it began: who is erased and calls again has another `_id`. */
  readonly #receiver: UserDocument;
  readonly #giver: UserDocument | null;

  private constructor(
    connection: Connection,
    ends: { from: string; to: string; at: Date },
    users: { receiver: UserDocument; giver: UserDocument | null },
  ) {
    this.#connection = connection;
    this.#from = ends.from;
    this.#to = ends.to;
    this.#at = ends.at;
    this.#receiver = users.receiver;
    this.#giver = users.giver;
    this.#tasks = connection.collection('tasks');
    this.#creations = connection.collection('creations');
  }

  static async begin(connection: Connection, from: string, to: string, at: Date): Promise<Mover> {
    const users = userModel(connection);
    const receiver = await users.findOne({ oid: { $eq: to }, ...ALIVE }).lean<UserDocument>();
    if (receiver === null) throw new MoveInterruptedError(to);
    const giver = await users.findOne({ oid: { $eq: from } }).lean<UserDocument>();
    if (giver?.erasing !== undefined) throw new MoveInterruptedError(from);
    const mover = new Mover(connection, { from, to, at }, { receiver, giver });
    if (receiver.receiving !== undefined) await mover.#finish(receiver.receiving);
    await mover.#forgetTombstones();
    return mover;
  }

  async hasMore(): Promise<boolean> {
    return (await this.#tasks.findOne(this.#givers(), only('_id'))) !== null;
  }

  async moveTasks(): Promise<number> {
    for (let moved = 0; ;) {
      const found = await this.#tasks.find(this.#givers(), { ...only('_id'), limit: BATCH }).toArray();
      if (found.length === 0) return moved;
      const tasks = found.map(({ _id }) => ({ id: _id, tombstone: randomId() }));
      const receiving = { id: randomId(), from: this.#from, tasks };
      if (await this.#writeDown(receiving)) moved += await this.#finish(receiving);
    }
  }

  /** The records of idempotency keys. Where the receiver has used the same key, theirs stays. */
  async moveCreations(): Promise<number> {
    for (let moved = 0, behind: object = {}; ;) {
      const where = { owner: { $eq: this.#from }, ...behind };
      const found = await this.#creations.find(where, { limit: BATCH, sort: { _id: 1 }, ...inTime() }).toArray();
      const copies = found.flatMap((record) => {
        const _id = reownedId(String(record._id), this.#to);
        return _id === undefined ? [] : [{ ...record, _id, owner: this.#to }];
      });
      await insertMissing(this.#creations, copies);
      if (!(await this.#isReceiverAlive())) {
        await this.#creations.deleteMany({
          owner: { $eq: this.#to },
          _id: { $in: copies.map(({ _id }) => _id) } as never,
        });
        throw new MoveInterruptedError(this.#to);
      }
      await this.#creations.deleteMany(
        { owner: { $eq: this.#from }, _id: { $in: found.map(({ _id }) => _id) } },
        inTime(),
      );
      moved += copies.length;
      if (found.length < BATCH) return moved;
      behind = { _id: { $gt: found.at(-1)?._id } };
    }
  }

  /** One entry remains, which has been seen since the earlier first time and until the later last one. */
  async joinUsers(): Promise<void> {
    const users = userModel(this.#connection);
    const giver = await users.findOne({ oid: { $eq: this.#from }, ...ALIVE }).lean<UserDocument>();
    const receiver = await users.findOne({ _id: this.#receiver._id }).lean<UserDocument>();
    if (receiver === null) throw new MoveInterruptedError(this.#to);
    const seen = [receiver, giver].flatMap((user) => user?.lastSeen ?? []).map(Number);
    const first = Math.min(...[receiver, giver].flatMap((user) => user?.firstSeen ?? []).map(Number));
    const name = receiver.name ?? giver?.name;
    const change = {
      $set: {
        firstSeen: new Date(first),
        ...(seen.length > 0 && { lastSeen: new Date(Math.max(...seen)) }),
        ...(name !== undefined && { name }),
      },
    };
    await users.updateOne({ _id: receiver._id, ...ALIVE }, change, inTime());
    if (giver !== null) await users.deleteOne({ _id: giver._id, ...ALIVE }, inTime());
  }

  /** False when another one was written down already; that is done then. */
  async #writeDown(receiving: Receiving): Promise<boolean> {
    const users = userModel(this.#connection);
    const where = { _id: this.#receiver._id, receiving: { $exists: false }, ...ALIVE };
    const { matchedCount } = await users.updateOne(where, { $set: { receiving } }, inTime());
    if (matchedCount > 0) return true;
    const receiver = await users.findOne({ _id: this.#receiver._id, ...ALIVE }).lean<UserDocument>();
    if (receiver === null) throw new MoveInterruptedError(this.#to);
    if (receiver.receiving !== undefined) await this.#finish(receiver.receiving);
    return false;
  }

  async #finish(receiving: Receiving): Promise<number> {
    const count = await this.#carryOut(receiving);
    const where = { _id: this.#receiver._id, 'receiving.id': receiving.id };
    await userModel(this.#connection).updateOne(where, { $unset: { receiving: 1 } }, inTime());
    return count;
  }

  /** Each step may be done twice. */
  async #carryOut({ from, tasks }: Receiving): Promise<number> {
    const ids = tasks.map(({ id }) => id);
    await this.#changeOwner(ids, from, this.#to);
    if (!(await this.#isReceiverAlive())) {
      await this.#changeOwner(ids, this.#to, from);
      throw new MoveInterruptedError(this.#to);
    }
    const arrived = await this.#tasks.find({ owner: { $eq: this.#to }, _id: { $in: ids } }, only('_id')).toArray();
    const isThere = new Set(arrived.map(({ _id }) => String(_id)));
    const tombstones = tasks
      .filter(({ id }) => isThere.has(String(id)))
      .map(({ id, tombstone }) => ({
        _id: tombstone,
        owner: from,
        deletedAt: this.#at,
        version: randomId(),
        gone: id,
      }));
    await insertMissing(this.#tasks, tombstones);
    await this.#assertGiverThere(tombstones.map(({ _id }) => _id));
    return tombstones.length;
  }

  /** Whatever state each is in goes along: a write that comes between is not lost. */
  async #changeOwner(ids: mongoose.Types.ObjectId[], from: string, to: string): Promise<void> {
    const operations = ids.map((_id) => ({
      updateOne: {
        filter: { owner: { $eq: from }, _id },
        update: { $set: { owner: to, version: randomId() }, $unset: { seq: 1 } },
      },
    }));
    if (operations.length > 0) await this.#tasks.bulkWrite(operations, { ordered: false, ...inTime() });
  }

  async #isReceiverAlive(): Promise<boolean> {
    return (await userModel(this.#connection).exists({ _id: this.#receiver._id, ...ALIVE })) !== null;
  }

  /** A giver who was erased meanwhile leaves no tombstones either. */
  async #assertGiverThere(tombstones: mongoose.Types.ObjectId[]): Promise<void> {
    const giver = await userModel(this.#connection)
      .findOne({ oid: { $eq: this.#from } })
      .lean<UserDocument>();
    const wasErased = this.#giver !== null && !this.#giver._id.equals(giver?._id ?? '');
    if (giver?.erasing === undefined && !wasErased) return;
    await this.#tasks.deleteMany({ owner: { $eq: this.#from }, _id: { $in: tombstones } }, inTime());
    throw new MoveInterruptedError(this.#from);
  }

  /** Tasks that the receiver once gave away and now gets back are not removed any more. */
  async #forgetTombstones(): Promise<void> {
    const where = { owner: { $eq: this.#to }, gone: { $exists: true } };
    if ((await this.#tasks.findOne(where, only('_id'))) === null) return;
    for (let behind: object = {}; ;) {
      const mine = { owner: { $eq: this.#from }, deletedAt: null, ...behind };
      const found = await this.#tasks.find(mine, { ...only('_id'), limit: BATCH, sort: { _id: 1 } }).toArray();
      await this.#tasks.deleteMany({ owner: { $eq: this.#to }, gone: { $in: found.map(({ _id }) => _id) } });
      if (found.length < BATCH) return;
      behind = { _id: { $gt: found.at(-1)?._id } };
    }
  }

  /** What is to be moved. */
  #givers(): Record<string, unknown> {
    return { owner: { $eq: this.#from }, deletedAt: null };
  }
}

function randomId(): mongoose.Types.ObjectId {
  return new ObjectId(randomBytes(12));
}

function only(member: string): object {
  return { projection: { [member]: 1 }, ...inTime() };
}

/** Every step has the time of a request. */
function inTime(): object {
  return withSignal(requestDeadline());
}

async function insertMissing(collection: Collection, documents: object[]): Promise<void> {
  if (documents.length === 0) return;
  try {
    await collection.insertMany(documents, { ordered: false, ...inTime() });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
}
