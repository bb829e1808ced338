import type mongoose from 'mongoose';
import type { Collection, Connection } from 'mongoose';
import { inTime } from '../database/deadline.ts';

/**
 * The collections that hold what people have stored, by `owner`, in the order of erasure: what could bring a task back goes
 * before the tasks.
 */
export const DATA = ['creations', 'tasks', 'syncs'] as const;

export type CollectionName = (typeof DATA)[number] | 'users';

/** Documents that one command reads. */
const BATCH = 50;

/**
 * All documents about this person as they are stored, tombstones of deleted tasks included, as the text of one JSON object
 * in pieces. Holds only one batch in memory. If nothing is stored, yields nothing and returns false.
 */
export async function* exportPerson(
  connection: Connection,
  oid: string,
  at: Date,
  stepMs?: number,
): AsyncGenerator<string, boolean> {
  let text = `{\n  "oid": ${JSON.stringify(oid)},\n  "exportedAt": ${JSON.stringify(at)}`;
  let isAnything = false;
  for (const collection of [...DATA, 'users']) {
    const where = { [collection === 'users' ? 'oid' : 'owner']: { $eq: oid } };
    const found = batches(connection.collection(collection), where, { limit: BATCH }, stepMs);
    text += `,\n  "${collection}": [`;
    let isFirst = true;
    for await (const documents of found) {
      yield text + (isFirst ? '' : ',') + documents.map((document) => `\n    ${JSON.stringify(document)}`).join(',');
      [text, isFirst, isAnything] = ['', false, true];
    }
    text += isFirst ? ']' : '\n  ]';
  }
  if (isAnything) yield `${text}\n}\n`;
  return isAnything;
}

/** Batches in the order of their ids, which an index has for each owner, so that no cursor has to be kept open. */
export async function* batches(
  collection: Collection,
  where: object,
  options: { limit: number; projection?: object },
  stepMs?: number,
): AsyncGenerator<mongoose.mongo.WithId<mongoose.mongo.Document>[]> {
  for (let behind: object = {}; ;) {
    const documents = await collection
      .find({ ...where, ...behind }, { ...options, sort: { _id: 1 }, ...inTime(stepMs) })
      .toArray();
    if (documents.length > 0) yield documents;
    if (documents.length < options.limit) return;
    behind = { _id: { $gt: documents.at(-1)?._id } };
  }
}
