import type { Connection } from 'mongoose';

/**
 * Everything that is kept about a person: each collection with the field that holds their `oid`, in the order in which
 * it is erased. What could bring a task back goes before the tasks, and the user goes last, so that an interrupted
 * erasure shows, and can be repeated.
 */
const PERSONAL = [
  { collection: 'creations', field: 'owner' },
  { collection: 'tasks', field: 'owner' },
  { collection: 'syncs', field: 'owner' },
  { collection: 'users', field: 'oid' },
] as const;

type CollectionName = (typeof PERSONAL)[number]['collection'];

/** All documents about this person as they are stored, deleted tasks' tombstones included. */
export async function collectPersonal(connection: Connection, oid: string): Promise<Record<CollectionName, object[]>> {
  const found = PERSONAL.map(async ({ collection, field }) => {
    const documents = await connection
      .collection(collection)
      .find({ [field]: { $eq: oid } })
      .toArray();
    return [collection, documents] as const;
  });
  return Object.fromEntries(await Promise.all(found)) as Record<CollectionName, object[]>;
}

/** Erases all of it, one collection after the other. Answers how many documents went. */
export async function erasePersonal(connection: Connection, oid: string): Promise<Record<CollectionName, number>> {
  const erased: [CollectionName, number][] = [];
  for (const { collection, field } of PERSONAL) {
    const { deletedCount } = await connection.collection(collection).deleteMany({ [field]: { $eq: oid } });
    erased.push([collection, deletedCount]);
  }
  return Object.fromEntries(erased) as Record<CollectionName, number>;
}
