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
import { askForLife, goesOn, type Lease, untilLeasesEnd } from './life.ts';
import { ALIVE, type Receiving, type UserDocument, userModel } from './model.ts';
import { batches } from './personal.ts';
import { UserStore } from './store.ts';

const { ObjectId } = mongoose.Types;
type Collection = mongoose.Collection;
type Id = mongoose.Types.ObjectId;

/** Documents that one command moves. */
const BATCH = 200;

/** One of the two was erased while their tasks were being moved. What was not moved is where it was. */
class MoveInterruptedError extends Error {
  constructor(oid: string) {
    super(`${oid} is being erased: run the command again if the rest is still to be moved`);
  }
}

export interface Moved {
  tasks: number;
  creations: number;
}

interface Move {
  from: string;
  to: string;
  at: Date;
}

/**
 * Moves everything that there is, and what comes while it runs; ends when nothing is left to move. May be run again, and by
 * two at once.
 *
 * @throws {MoveInterruptedError}
 */
export async function movePerson(connection: Connection, from: string, to: string, at: Date): Promise<Moved> {
  const moved = { tasks: 0, creations: 0 };
  for (;;) {
    const mover = await Mover.begin(connection, { from, to, at });
    // First: a repeated POST of the receiver then finds its task's id, wherever the task is by now.
    moved.creations += await mover.moveCreations();
    moved.tasks += await mover.moveTasks();
    await mover.joinUsers();
    await untilLeasesEnd();
    if (!(await mover.hasMore())) return moved;
  }
}

/** One pass. It ends early when the giver's life does: what they store in another one is for the next pass. */
class Mover {
  readonly #connection: Connection;
  readonly #move: Move;
  /** The receiver's life when it began: who is erased and calls again has another one. */
  readonly #receiver: Id;
  readonly #tasks: Collection;
  readonly #creations: Collection;

  private constructor(connection: Connection, move: Move, receiver: Id) {
    this.#connection = connection;
    this.#move = move;
    this.#receiver = receiver;
    this.#tasks = connection.collection('tasks');
    this.#creations = connection.collection('creations');
  }

  static async begin(connection: Connection, move: Move): Promise<Mover> {
    const users = new UserStore(connection);
    await users.add(move.to, undefined, move.at);
    const receiver = await userModel(connection)
      .findOne({ oid: { $eq: move.to }, ...ALIVE })
      .lean<UserDocument>();
    if (receiver === null) throw new MoveInterruptedError(move.to);
    const mover = new Mover(connection, move, receiver._id);
    if (receiver.receiving !== undefined) await mover.#finish(receiver.receiving);
    // A giver who is unknown gets an entry as well: without one nobody would see that they are erased meanwhile.
    await users.add(move.from, undefined, move.at);
    await mover.#forgetTombstones();
    return mover;
  }

  async hasMore(): Promise<boolean> {
    const task = await this.#tasks.findOne(this.#givers(), only('_id'));
    return (task ?? (await this.#creations.findOne({ owner: { $eq: this.#move.from } }, only('_id')))) !== null;
  }

  async moveTasks(): Promise<number> {
    for (let moved = 0; ;) {
      const found = await this.#tasks.find(this.#givers(), { ...only('_id'), limit: BATCH }).toArray();
      if (found.length === 0) return moved;
      const count = await this.#give(found.map(({ _id }) => ({ id: _id, tombstone: randomId() })));
      if (count === undefined) return moved;
      moved += count;
    }
  }

  /** The records of idempotency keys. Where the receiver has used the same key, theirs stays. */
  async moveCreations(): Promise<number> {
    const { from, to } = this.#move;
    let moved = 0;
    for await (const found of batches(this.#creations, { owner: { $eq: from } }, { limit: BATCH })) {
      const copies = found.flatMap((record) => {
        const _id = reownedId(String(record._id), to);
        return _id === undefined ? [] : [{ ...record, _id, owner: to }];
      });
      await this.#storeForReceiver(
        () => insertMissing(this.#creations, copies),
        () => removeAll(this.#creations, to, copies),
      );
      await removeAll(this.#creations, from, found);
      moved += copies.length;
    }
    return moved;
  }

  /** Written down as a batch of nothing: so nobody is in the middle of one that still owes the giver tombstones. */
  async joinUsers(): Promise<void> {
    await this.#give([]);
  }

  /** Undefined when the giver's life has ended. */
  async #give(tasks: Receiving['tasks']): Promise<number | undefined> {
    const { from } = this.#move;
    const giver = (await askForLife(this.#connection, from, requestDeadline()))?.life;
    if (giver === undefined) return undefined;
    const receiving = { id: randomId(), from, giver: new ObjectId(giver), tasks };
    while (!(await this.#writeDown(receiving))) continue;
    return await this.#finish(receiving);
  }

  /** False when another one was written down already; that is done then. */
  async #writeDown(receiving: Receiving): Promise<boolean> {
    const users = userModel(this.#connection);
    const where = { _id: this.#receiver, receiving: { $exists: false }, ...ALIVE };
    const { matchedCount } = await users.updateOne(where, { $set: { receiving } }, inTime());
    if (matchedCount > 0) return true;
    const receiver = await users.findOne({ _id: this.#receiver, ...ALIVE }).lean<UserDocument>();
    if (receiver === null) throw new MoveInterruptedError(this.#move.to);
    if (receiver.receiving !== undefined) await this.#finish(receiver.receiving);
    return false;
  }

  async #finish(receiving: Receiving): Promise<number | undefined> {
    const count = await this.#carryOut(receiving);
    const where = { _id: this.#receiver, 'receiving.id': receiving.id };
    await userModel(this.#connection).updateOne(where, { $unset: { receiving: 1 } }, inTime());
    return count;
  }

  /** Each step may be done twice. */
  async #carryOut(receiving: Receiving): Promise<number | undefined> {
    const { from, giver, tasks } = receiving;
    const lease = await this.#leaseOf(from, giver);
    if (lease === undefined) return undefined;
    if (tasks.length === 0) return await this.#join(giver);
    const { to } = this.#move;
    const ids = tasks.map(({ id }) => id);
    await this.#storeForReceiver(
      () => this.#changeOwner(ids, from, to),
      () => this.#changeOwner(ids, to, from),
    );
    const arrived = await this.#tasks.find({ owner: { $eq: to }, _id: { $in: ids } }, only('_id')).toArray();
    const isThere = new Set(arrived.map(({ _id }) => String(_id)));
    await this.#leaveTombstones(
      receiving,
      tasks.filter(({ id }) => isThere.has(String(id))),
    );
    return arrived.length;
  }

  /** Whatever state each is in goes along: a write that comes between is not lost. */
  async #changeOwner(ids: Id[], from: string, to: string): Promise<void> {
    const operations = ids.map((_id) => ({
      updateOne: {
        filter: { owner: { $eq: from }, _id },
        update: { $set: { owner: to, version: randomId() }, $unset: { seq: 1 } },
      },
    }));
    await this.#tasks.bulkWrite(operations, { ordered: false, ...inTime() });
  }

  /** A giver who was erased meanwhile leaves none. */
  async #leaveTombstones({ id: batch, from, giver }: Receiving, tasks: Receiving['tasks']): Promise<void> {
    const lease = await this.#leaseOf(from, giver);
    if (lease === undefined) return;
    const tombstones = tasks.map(({ id, tombstone }) => ({
      _id: tombstone,
      owner: from,
      deletedAt: this.#move.at,
      version: randomId(),
      gone: id,
    }));
    await insertMissing(this.#tasks, tombstones);
    if (await goesOn(lease, this.#connection, from, requestDeadline())) return;
    // Unless somebody else has carried this out as well and gone on: then they are not erased, but joined.
    const isOurs = await userModel(this.#connection).exists({ _id: this.#receiver, 'receiving.id': batch });
    if (isOurs !== null) await removeAll(this.#tasks, from, tombstones);
  }

  /** One entry remains, which has been seen since the earlier first time and until the later last one. */
  async #join(life: Id): Promise<number> {
    const users = userModel(this.#connection);
    const giver = await users.findOne({ _id: life, ...ALIVE }).lean<UserDocument>();
    const receiver = await users.findOne({ _id: this.#receiver, ...ALIVE }).lean<UserDocument>();
    if (receiver === null) throw new MoveInterruptedError(this.#move.to);
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
    await users.deleteOne({ _id: life, ...ALIVE }, inTime());
    return 0;
  }

  /** @throws {MoveInterruptedError} when the receiver is erased; what came too late for that to see is taken back. */
  async #storeForReceiver(store: () => Promise<void>, takeBack: () => Promise<void>): Promise<void> {
    const { to } = this.#move;
    const lease = await this.#leaseOf(to, this.#receiver);
    if (lease === undefined) throw new MoveInterruptedError(to);
    await store();
    if (await goesOn(lease, this.#connection, to, requestDeadline())) return;
    await takeBack();
    throw new MoveInterruptedError(to);
  }

  /** Nothing when that life of theirs has ended. */
  async #leaseOf(oid: string, life: Id): Promise<Lease | undefined> {
    const lease = await askForLife(this.#connection, oid, requestDeadline());
    return lease?.life === life.toHexString() ? lease : undefined;
  }

  /** Tasks that the receiver once gave away and now gets back are not removed any more. */
  async #forgetTombstones(): Promise<void> {
    const where = { owner: { $eq: this.#move.to }, gone: { $exists: true } };
    if ((await this.#tasks.findOne(where, only('_id'))) === null) return;
    for await (const found of batches(this.#tasks, this.#givers(), { limit: BATCH, projection: { _id: 1 } })) {
      await this.#tasks.deleteMany({ owner: { $eq: this.#move.to }, gone: { $in: found.map(({ _id }) => _id) } });
    }
  }

  /** What is to be moved. */
  #givers(): Record<string, unknown> {
    return { owner: { $eq: this.#move.from }, deletedAt: null };
  }
}

function randomId(): Id {
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

async function removeAll(collection: Collection, owner: string, documents: readonly { _id: unknown }[]): Promise<void> {
  const where = { owner: { $eq: owner }, _id: { $in: documents.map(({ _id }) => _id) } };
  await collection.deleteMany(where as never, inTime());
}
