import type { Connection } from 'mongoose';

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
    let isFirst = true;
    for await (const documents of batches(connection, collection, { [field]: { $eq: oid } })) {
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

/** In the order of their ids, which an index has for each owner, so that no cursor has to be kept open. */
async function* batches(connection: Connection, name: string, where: object): AsyncGenerator<object[]> {
  for (let behind: object = {}; ;) {
    const documents = await connection
      .collection(name)
      .find({ ...where, ...behind }, withSignal(requestDeadline()))
      .sort({ _id: 1 })
      .limit(BATCH)
      .toArray();
    if (documents.length > 0) yield documents;
    if (documents.length < BATCH) return;
    behind = { _id: { $gt: documents.at(-1)?._id } };
  }
}
