import type { Collection, Connection } from 'mongoose';
import { requestDeadline, withSignal } from '../database/deadline.ts';

/**
 * The collections that hold what people have stored, by `owner`, in the order in which they are erased: what could bring a
 * task back goes before the tasks.
 */
export const DATA = [{ collection: 'creations' }, { collection: 'tasks' }, { collection: 'syncs' }] as const;

/** Everything that is kept about a person: each collection with the field that holds their `oid`. */
const PERSONAL = [
  ...DATA.map(({ collection }) => ({ collection, field: 'owner' }) as const),
  { collection: 'users', field: 'oid' },
] as const;

export type CollectionName = (typeof PERSONAL)[number]['collection'];

/** Documents that one command reads. */
const BATCH = 50;

/**
 * All documents about this person as they are stored, deleted tasks' tombstones included, as the text of one JSON object
 * in pieces. Holds a batch of them in memory, however many there are. Yields nothing when nothing is stored.
 */
export async function* exportPerson(connection: Connection, oid: string, at: Date): AsyncGenerator<string> {
  if (!(await isAnythingStored(connection, oid))) return;
  yield `{\n  "oid": ${JSON.stringify(oid)},\n  "exportedAt": ${JSON.stringify(at)}`;
  for (const { collection, field } of PERSONAL) {
    yield `,\n  "${collection}": [`;
    const where = { [field]: { $eq: oid } };
    let isFirst = true;
    for await (const documents of batches(connection.collection(collection), where, { limit: BATCH })) {
      yield documents
        .map((document, i) => `${isFirst && i === 0 ? '' : ','}\n    ${JSON.stringify(document)}`)
        .join('');
      isFirst = false;
    }
    yield isFirst ? ']' : '\n  ]';
  }
  yield '\n}\n';
}

async function isAnythingStored(connection: Connection, oid: string): Promise<boolean> {
  for (const { collection, field } of PERSONAL) {
    const where = { [field]: { $eq: oid } };
    if ((await connection.collection(collection).findOne(where, withSignal(requestDeadline()))) !== null) return true;
  }
  return false;
}

/** Batches in the order of their ids, which an index has for each owner, so that no cursor has to be kept open. */
export async function* batches(
  collection: Collection,
  where: object,
  options: { limit: number; projection?: object },
): AsyncGenerator<{ _id: unknown }[]> {
  for (let behind: object = {}; ;) {
    const documents = await collection
      .find({ ...where, ...behind }, { ...options, sort: { _id: 1 }, ...withSignal(requestDeadline()) })
      .toArray();
    if (documents.length > 0) yield documents;
    if (documents.length < options.limit) return;
    behind = { _id: { $gt: documents.at(-1)?._id } };
  }
}
