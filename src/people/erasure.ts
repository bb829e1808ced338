/**
 * Erasing a person: one implementation for the API and the command. The user entry is marked first and deleted last. While it
 * is marked, nobody stores anything more of theirs (see `life.ts`). A mark that stays shows that an erasure was interrupted.
 *
 * Any process may finish an erasure, and several may do so at once. Each erases only the exact versions that it has found,
 * and only if the mark is still there afterwards: so none can take what the person has stored in a new life.
 */
import { randomBytes } from 'node:crypto';
import mongoose, { type Connection } from 'mongoose';
import { StoreTime, withSignal, type WorkTime } from '../database/deadline.ts';
import { isDuplicateKey } from '../database/errors.ts';
import { untilLeasesEnd } from './life.ts';
import { ALIVE, userModel } from './model.ts';
import { type CollectionName, DATA } from './personal.ts';

type ObjectId = mongoose.Types.ObjectId;
export type Erased = Record<CollectionName, number>;

/** Documents that one command erases, so that it does not hold up others. */
const BATCH = 250;

/**
 * Erases all that is stored about this person. Resolves, when nothing is left, to how much that was. After each command its
 * time begins anew, so that it never fails because there is much to erase. If it is interrupted, call it again.
 */
export async function erasePerson(
  connection: Connection,
  oid: string,
  at: Date,
  time: WorkTime = new StoreTime().begin(),
): Promise<Erased> {
  const inTime = withSignal(time.signal);
  const { erasing, wasKnown } = await mark(connection, oid, at, inTime);
  time.extend();
  await untilLeasesEnd();
  const erased = new Map<CollectionName, number>();
  for (const name of DATA) {
    let count = 0;
    for await (const some of eraseFrom(connection, name, { oid, erasing }, time)) count += some;
    erased.set(name, count);
  }
  await userModel(connection).deleteOne({ oid: { $eq: oid }, erasing }, inTime);
  erased.set('users', wasKnown ? 1 : 0);
  return Object.fromEntries(erased) as Erased;
}

/** Finishes the erasure of this person if one was interrupted, or is running elsewhere. */
export async function finishErasure(connection: Connection, oid: string, at: Date): Promise<void> {
  const time = new StoreTime().begin();
  const marked = { oid: { $eq: oid }, erasing: { $exists: true } };
  const found = await userModel(connection).exists(marked).setOptions(withSignal(time.signal));
  if (found !== null) await erasePerson(connection, oid, at, time);
}

/** Finishes erasures whose process died. Resolves to the number of people. */
export async function finishErasures(connection: Connection, at: Date): Promise<number> {
  const marked = await userModel(connection)
    .find({ erasing: { $exists: true } }, { oid: 1 })
    .lean();
  for (const { oid } of marked) await erasePerson(connection, oid, at);
  return marked.length;
}

/** Marks the user entry, or joins an erasure that has already begun. */
async function mark(
  connection: Connection,
  oid: string,
  at: Date,
  inTime: object,
): Promise<{ erasing: ObjectId; wasKnown: boolean }> {
  const users = userModel(connection);
  for (;;) {
    const marked = { oid: { $eq: oid }, erasing: { $exists: true } };
    const begun = await users.findOne(marked, { erasing: 1 }).setOptions(inTime).lean();
    if (begun?.erasing !== undefined) return { erasing: begun.erasing, wasKnown: true };
    try {
      const erasing = new mongoose.Types.ObjectId(randomBytes(12));
      const change = { $set: { erasing }, $setOnInsert: { firstSeen: at } };
      const options = { upsert: true, ...inTime };
      const { matchedCount } = await users.updateOne({ oid: { $eq: oid }, ...ALIVE }, change, options);
      return { erasing, wasKnown: matchedCount > 0 };
    } catch (error) {
      if (!isDuplicateKey(error)) throw error; // somebody else has just begun it
    }
  }
}

/** Yields the number erased in each step. */
async function* eraseFrom(
  connection: Connection,
  name: string,
  marked: { oid: string; erasing: ObjectId },
  time: WorkTime,
): AsyncGenerator<number> {
  const inTime = withSignal(time.signal);
  const collection = connection.collection(name);
  const owner = { $eq: marked.oid };
  for (;;) {
    const found = await collection.find({ owner }, { projection: { version: 1 }, limit: BATCH, ...inTime }).toArray();
    time.extend();
    if (found.length === 0 || (await userModel(connection).exists(marked).setOptions(inTime)) === null) return;
    time.extend();
    const where = {
      owner,
      _id: { $in: found.map(({ _id }) => _id) },
      version: { $in: found.map((document) => (document['version'] as ObjectId | undefined) ?? null) },
    };
    const { deletedCount } = await collection.deleteMany(where, inTime);
    time.extend();
    yield deletedCount;
  }
}
