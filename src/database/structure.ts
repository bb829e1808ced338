import mongoose, { type Connection, type IndexDefinition, type IndexOptions, type Schema } from 'mongoose';

import { withSignal } from './deadline.ts';

const NAMESPACE_EXISTS = 48;

/**
 * Creates the collections and indexes of every model on the connection that are not there yet. What is there is left
 * alone, and repeating it, also by several instances at once, does no harm.
 *
 * @throws the driver's error, with the collection's name in the message, when an index conflicts with one that is
 * there, when data violates a unique one, or when the database user may not create them.
 */
export async function ensureStructure(connection: Connection, signal?: AbortSignal): Promise<void> {
  for (const model of Object.values(connection.models)) {
    const { collectionName } = model.collection;
    try {
      await ensureCollection(connection, collectionName, signal);
      const indexes = indexesOf(model.schema as Schema);
      if (indexes.length > 0) await model.collection.createIndexes(indexes, withSignal(signal));
    } catch (error) {
      throw new StructureError(collectionName, error);
    }
  }
}

/** Says which collection it was about. */
export class StructureError extends Error {
  constructor(collectionName: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`the collection ${collectionName} or its indexes cannot be created: ${reason}`, { cause });
    this.name = 'StructureError';
  }
}

async function ensureCollection(connection: Connection, name: string, signal?: AbortSignal): Promise<void> {
  try {
    await connection.db?.createCollection(name, withSignal(signal));
  } catch (error) {
    const isThere = error instanceof mongoose.mongo.MongoServerError && error.code === NAMESPACE_EXISTS;
    if (!isThere) throw error;
  }
}

function indexesOf(schema: Schema): mongoose.mongo.IndexDescription[] {
  return schema.indexes().map(([fields, options]) => {
    const description: IndexOptions & { key: IndexDefinition } = { ...options, key: fields };
    // Mongoose adds it, and it means nothing since MongoDB 4.2.
    delete description.background;
    return description as mongoose.mongo.IndexDescription;
  });
}
