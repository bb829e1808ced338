import mongoose, { type Connection, type Schema } from 'mongoose';
import { type IndexDescription, nameOf, serves } from './indexes.ts';

type Collection = mongoose.mongo.Collection;

const NAMESPACE_EXISTS = 48;
const INDEX_NOT_FOUND = 27;

/**
 * Indexes of earlier versions that this one replaces, by collection. Each is dropped once its successor exists, and only if
 * it is exactly as it was created then.
 */
const REPLACED: Readonly<Record<string, readonly IndexDescription[]>> = {
  // Held an entry for every live task.
  tasks: [{ key: { deletedAt: 1 }, name: 'deletedAt_1', expireAfterSeconds: (30 * 24 + 1) * 3600 }],
};

/**
 * Creates the missing collections and indexes of every model on the connection. Existing ones are left alone, and an
 * equivalent index under another name counts. Repeating it does no harm, even by several instances at once. If one index
 * cannot be created, the others still are.
 *
 * @throws {StructureError} naming every missing index, when one conflicts with an existing one, when data violates a
 * unique one, or when the database user may not create them.
 */
export async function ensureStructure(connection: Connection): Promise<void> {
  const failures: Failure[] = [];
  for (const model of Object.values(connection.models)) {
    const collection = model.collection as unknown as Collection;
    try {
      await ensureCollection(connection, collection.collectionName);
      failures.push(...(await ensureIndexes(collection, indexesOf(model.schema as Schema))));
    } catch (cause) {
      failures.push({ collection: collection.collectionName, cause });
    }
  }
  if (failures.length > 0) throw new StructureError(failures);
}

interface Failure {
  collection: string;
  /** Absent if it is the collection itself. */
  index?: string;
  cause: unknown;
}

/** Says which index or collection is missing, and why. The `cause` is the first of the driver's errors. */
export class StructureError extends Error {
  /** Such as `the index owner_1 of syncs`. */
  readonly missing: readonly string[];

  constructor(failures: readonly Failure[]) {
    super(failures.map(explain).join('; '), { cause: failures[0]?.cause });
    this.name = 'StructureError';
    this.missing = failures.map(({ collection, index }) =>
      index === undefined ? `the collection ${collection}` : `the index ${index} of ${collection}`,
    );
  }
}

function explain({ collection, index, cause }: Failure): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const where = index === undefined ? '' : `${index}: `;
  return `the collection ${collection} or its indexes cannot be created: ${where}${reason}`;
}

async function ensureCollection(connection: Connection, name: string): Promise<void> {
  try {
    await connection.db?.createCollection(name);
  } catch (error) {
    if (!hasCode(error, NAMESPACE_EXISTS)) throw error;
  }
}

async function ensureIndexes(collection: Collection, wanted: readonly IndexDescription[]): Promise<Failure[]> {
  const there = await indexesThere(collection);
  const lacking = wanted.filter((index) => !there.some((other) => serves(other, index)));
  const failures = await createIndexes(collection, lacking);
  if (failures.length === 0) await dropReplaced(collection, there);
  return failures;
}

/** None if the server does not say: then creating them shows what exists. */
async function indexesThere(collection: Collection): Promise<IndexDescription[]> {
  try {
    return (await collection.listIndexes().toArray()) as IndexDescription[];
  } catch {
    return [];
  }
}

/** All at once, which reads the collection once; or each by itself if that fails. */
async function createIndexes(collection: Collection, lacking: readonly IndexDescription[]): Promise<Failure[]> {
  if (lacking.length === 0 || (await refusalOf(collection, lacking)) === undefined) return [];
  const failures: Failure[] = [];
  for (const index of lacking) {
    const cause = await refusalOf(collection, [index]);
    if (cause !== undefined) failures.push({ collection: collection.collectionName, index: index.name, cause });
  }
  return failures;
}

/** Creates the indexes, or resolves to why the server refuses. */
async function refusalOf(collection: Collection, indexes: readonly IndexDescription[]): Promise<Error | undefined> {
  // Building one may take as long as it likes: the socket's time limit is for requests.
  const options: object = { socketTimeoutMS: 0 };
  try {
    await collection.createIndexes([...indexes], options);
    return undefined;
  } catch (error) {
    if (error instanceof mongoose.mongo.MongoServerError) return error;
    throw error;
  }
}

async function dropReplaced(collection: Collection, there: readonly IndexDescription[]): Promise<void> {
  for (const old of REPLACED[collection.collectionName] ?? []) {
    if (!there.some((index) => index.name === old.name && serves(index, old))) continue;
    try {
      await collection.dropIndex(old.name);
    } catch (error) {
      if (!hasCode(error, INDEX_NOT_FOUND)) throw error; // another instance was faster
    }
  }
}

function indexesOf(schema: Schema): IndexDescription[] {
  return schema.indexes().map(([fields, options]) => {
    const key = fields as IndexDescription['key'];
    const description = { name: nameOf(key), ...(options as Partial<IndexDescription>), key };
    // Mongoose adds it, and it means nothing since MongoDB 4.2.
    delete (description as { background?: boolean }).background;
    return description;
  });
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof mongoose.mongo.MongoServerError && error.code === code;
}
