/**
 * Gives one person's tasks to another: for someone whose object id has changed. Works live and in batches, so that it may be
 * interrupted anywhere and run again.
 *
 * A task keeps its id and gets a new version, and the receiver's devices see it as changed. Ids are unique over all owners,
 * so none can clash. The giver keeps a tombstone with its own id that names the task (`gone`), so that their devices
 * learn that it is removed; their own tombstones and sync tokens stay with them. A late write of the giver finds no task
 * (404), or the id taken (409).
 *
 * The tombstone is stored before the task goes, with the number 0, which no feed shows. It loses that number, and so gets a
 * visible one, once its task has arrived at the receiver. So the next run finds what an interrupted one still has to do.
 *
 * The records of idempotency keys are copied, and stay with the giver until there is nothing left to move: a POST that the
 * giver repeats meanwhile finds the id of its task, which is taken, and makes no second one.
 */
import { randomBytes } from 'node:crypto';
import mongoose, { type Connection } from 'mongoose';
import { COMMAND_MS, inTime, requestDeadline } from '../database/deadline.ts';
import { isDuplicateKey } from '../database/errors.ts';
import { reownedId } from '../database/ownedId.ts';
import { askForLife, goesOn, untilLeasesEnd } from './life.ts';
import { ALIVE, type UserDocument, userModel } from './model.ts';
import { batches } from './personal.ts';
import { UserStore } from './store.ts';

const { ObjectId } = mongoose.mongo;
type Collection = mongoose.Collection;
type Id = mongoose.mongo.ObjectId;

/** Documents that one command moves. */
const BATCH = 200;

/** The receiver was erased during the move. Tasks not yet moved are where they were. */
class MoveInterruptedError extends Error {
  constructor(oid: string) {
    super(`${oid} is being erased: run the command again if the rest is still to be moved`);
  }
}

export interface Moved {
  tasks: number;
  creations: number;
}

/** A person, in the life that they had when this began: one who is erased and calls again has another. */
interface Person {
  oid: string;
  life: string;
}

/**
 * Moves everything, including what is added while it runs; ends when nothing is left to move. May be run again, even while
 * another run is under way.
 *
 * @throws {MoveInterruptedError}
 */
export async function movePerson(connection: Connection, from: string, to: string, at: Date): Promise<Moved> {
  const moved = { tasks: 0, creations: 0 };
  for (;;) {
    const receiver = await registered(connection, to, at);
    // An unknown giver gets an entry as well: without one, an erasure of theirs in the meantime would go unnoticed.
    const mover = new Mover(connection, await registered(connection, from, at), receiver, at);
    await mover.forgetTombstones();
    // Before the tasks, so that a POST that the receiver repeats finds its task's id, whether the task has moved yet or not.
    moved.creations += await mover.copyCreations();
    moved.tasks += await mover.moveTasks();
    await mover.tellGiver();
    await mover.joinUsers();
    await untilLeasesEnd();
    if (await mover.hasMore()) continue;
    await mover.removeCreations();
    return moved;
  }
}

/** Adds an entry for them if they have none. */
async function registered(connection: Connection, oid: string, at: Date): Promise<Person> {
  const users = new UserStore(connection);
  for (;;) {
    await users.add(oid, undefined, at);
    const life = (await askForLife(connection, oid, requestDeadline(COMMAND_MS)))?.life;
    if (life !== undefined) return { oid, life };
  }
}

/** One pass. It ends early when the giver's life does: what they store in their next life is left to the next pass. */
class Mover {
  readonly #connection: Connection;
  readonly #giver: Person;
  readonly #receiver: Person;
  readonly #at: Date;
  readonly #tasks: Collection;
  readonly #creations: Collection;
  /** What is to be moved. */
  readonly #wanted: object;
  /** Of the giver's records of idempotency keys, those that the receiver has a copy of, in this life of theirs. */
  readonly #copied: object;
  readonly #uncopied: object;

  constructor(connection: Connection, giver: Person, receiver: Person, at: Date) {
    this.#connection = connection;
    this.#giver = giver;
    this.#receiver = receiver;
    this.#at = at;
    this.#tasks = connection.collection('tasks');
    this.#creations = connection.collection('creations');
    const owner = { $eq: giver.oid };
    this.#wanted = { owner, deletedAt: null };
    this.#copied = { owner, copiedTo: { $eq: receiver.life } };
    this.#uncopied = { owner, copiedTo: { $ne: receiver.life } };
  }

  async hasMore(): Promise<boolean> {
    const task = await this.#tasks.findOne(this.#wanted, only('_id'));
    return (task ?? (await this.#creations.findOne(this.#uncopied, only('_id')))) !== null;
  }

  /** Removes the receiver's tombstones of tasks that they once gave away and now get back. */
  async forgetTombstones(): Promise<void> {
    const owner = { $eq: this.#receiver.oid };
    if ((await this.#tasks.findOne({ owner, gone: { $exists: true } }, only('_id'))) === null) return;
    for await (const found of batches(
      this.#tasks,
      this.#wanted,
      { limit: BATCH, projection: { _id: 1 } },
      COMMAND_MS,
    )) {
      await this.#tasks.deleteMany({ owner, gone: { $in: found.map(({ _id }) => _id) } }, inTime(COMMAND_MS));
    }
  }

  /** The records of idempotency keys. If the receiver has used the same key, theirs stays. */
  async copyCreations(): Promise<number> {
    const owner = this.#receiver.oid;
    let copied = 0;
    for await (const found of batches(this.#creations, this.#uncopied, { limit: BATCH }, COMMAND_MS)) {
      const copies = found.flatMap((record) => {
        const _id = reownedId(String(record._id), owner);
        return _id === undefined ? [] : [{ ...record, _id, owner }];
      });
      await this.#storeForReceiver(
        () => insertMissing(this.#creations, copies),
        () => removeAll(this.#creations, owner, copies),
      );
      const done = { ...this.#uncopied, _id: { $in: found.map(({ _id }) => _id) } };
      await this.#creations.updateMany(done, { $set: { copiedTo: this.#receiver.life } }, inTime(COMMAND_MS));
      copied += copies.length;
    }
    return copied;
  }

  async removeCreations(): Promise<void> {
    await this.#creations.deleteMany(this.#copied, inTime(COMMAND_MS));
  }

  async moveTasks(): Promise<number> {
    const [from, to] = [this.#giver.oid, this.#receiver.oid];
    for (let moved = 0; ;) {
      const found = await this.#tasks.find(this.#wanted, { ...only('_id'), limit: BATCH }).toArray();
      const ids = found.map(({ _id }) => _id);
      if (ids.length === 0 || !(await this.#prepareTombstones(ids))) return moved;
      await this.#storeForReceiver(
        async () => {
          moved += await this.#renew(from, ids, { owner: to });
        },
        () => this.#renew(to, ids, { owner: from }),
      );
    }
  }

  /** Resolves to false when the giver's life has ended: whoever is erased leaves no tombstones. */
  async #prepareTombstones(ids: Id[]): Promise<boolean> {
    const owner = this.#giver.oid;
    const about = { owner, deletedAt: this.#at, seq: 0 };
    const tombstones = ids.map((gone) => ({ ...about, _id: randomId(), version: randomId(), gone }));
    return await this.#storeFor(
      this.#giver,
      () => insertMissing(this.#tasks, tombstones),
      () => removeAll(this.#tasks, owner, tombstones),
    );
  }

  /** Shows the giver's devices the tombstones of tasks that have arrived. The others stay hidden, and expire in time. */
  async tellGiver(): Promise<void> {
    const untold = { owner: { $eq: this.#giver.oid }, seq: 0, gone: { $exists: true } };
    for await (const found of batches(this.#tasks, untold, { limit: BATCH, projection: { gone: 1 } }, COMMAND_MS)) {
      const where = { owner: { $eq: this.#receiver.oid }, _id: { $in: found.map(({ gone }) => gone as Id) } };
      const arrived = await this.#tasks.find(where, only('_id')).toArray();
      const isThere = new Set(arrived.map(({ _id }) => String(_id)));
      const told = found.filter(({ gone }) => isThere.has(String(gone))).map(({ _id }) => _id);
      await this.#renew(this.#giver.oid, told);
    }
  }

  /**
   * Gives each a new version, without a number, and leaves its other members as they are: so a write that comes in between is
   * not lost. Resolves to how many it has found.
   */
  async #renew(owner: string, ids: readonly Id[], change: { owner?: string } = {}): Promise<number> {
    if (ids.length === 0) return 0;
    const operations = ids.map((_id) => ({
      updateOne: {
        filter: { owner: { $eq: owner }, _id },
        update: { $set: { ...change, version: randomId() }, $unset: { seq: 1 } },
      },
    }));
    const { matchedCount } = await this.#tasks.bulkWrite(operations, { ordered: false, ...inTime(COMMAND_MS) });
    return matchedCount;
  }

  /** Leaves one entry, with the earlier `firstSeen` and the later `lastSeen` of the two. */
  async joinUsers(): Promise<void> {
    const users = userModel(this.#connection);
    const [giver, receiver] = await Promise.all(
      [this.#giver, this.#receiver].map(({ life }) => users.findOne({ _id: life, ...ALIVE }).lean<UserDocument>()),
    );
    if (!receiver) throw new MoveInterruptedError(this.#receiver.oid);
    if (!giver) return;
    const seen = [receiver, giver].flatMap(({ lastSeen }) => lastSeen ?? []).map(Number);
    const name = receiver.name ?? giver.name;
    const change = {
      $set: {
        firstSeen: new Date(Math.min(Number(receiver.firstSeen), Number(giver.firstSeen))),
        ...(seen.length > 0 && { lastSeen: new Date(Math.max(...seen)) }),
        ...(name !== undefined && { name }),
      },
    };
    await users.updateOne({ _id: receiver._id, ...ALIVE }, change, inTime(COMMAND_MS));
    await users.deleteOne({ _id: giver._id, ...ALIVE }, inTime(COMMAND_MS));
  }

  /** @throws {MoveInterruptedError} when the receiver is erased. */
  async #storeForReceiver(store: () => Promise<unknown>, takeBack: () => Promise<unknown>): Promise<void> {
    if (!(await this.#storeFor(this.#receiver, store, takeBack))) throw new MoveInterruptedError(this.#receiver.oid);
  }

  /** Resolves to false when that life of theirs has ended. What was stored too late for its end to find is taken back. */
  async #storeFor(
    { oid, life }: Person,
    store: () => Promise<unknown>,
    takeBack: () => Promise<unknown>,
  ): Promise<boolean> {
    const lease = await askForLife(this.#connection, oid, requestDeadline(COMMAND_MS));
    if (lease === undefined || lease.life !== life) return false;
    await store();
    if (await goesOn(lease, this.#connection, oid, requestDeadline(COMMAND_MS))) return true;
    await takeBack();
    return false;
  }
}

function randomId(): Id {
  return new ObjectId(randomBytes(12));
}

function only(member: string): object {
  return { projection: { [member]: 1 }, ...inTime(COMMAND_MS) };
}

async function insertMissing(collection: Collection, documents: object[]): Promise<void> {
  if (documents.length === 0) return;
  try {
    await collection.insertMany(documents, { ordered: false, ...inTime(COMMAND_MS) });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
}

async function removeAll(collection: Collection, owner: string, documents: readonly { _id: unknown }[]): Promise<void> {
  const where = { owner: { $eq: owner }, _id: { $in: documents.map(({ _id }) => _id) } };
  await collection.deleteMany(where as never, inTime(COMMAND_MS));
}
