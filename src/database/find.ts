import mongoose from 'mongoose';
import { DEADLINE_MS, withSignal } from './deadline.ts';
import { toStoreError } from './errors.ts';

const { MongoNetworkError, MongoServerError } = mongoose.mongo;

export interface FindOptions {
  sort?: Readonly<Record<string, 1 | -1>>;
  skip?: number;
  limit?: number;
  /** More than what is there: a cursor left open would be one more command. */
  batchSize: number;
  projection?: Readonly<Record<string, number>>;
}

/** The part of a `find` reply that is read here. */
interface Answer {
  cursor: { id: unknown; firstBatch: object[] };
}

/**
 * The documents of a find that one answer holds, nearly always. The driver's cursor is a third of what a small find costs, an
 * eighth of a list of 20, so the command is sent as it is. Where that fails for now, or is not all, the cursor does it, which
 * tries twice. The server gives up in time as well, instead of reading on for nobody.
 */
export async function findAll(
  collection: mongoose.Collection,
  filter: object,
  options: FindOptions,
  signal: AbortSignal,
): Promise<object[]> {
  const find = { ...options, maxTimeMS: DEADLINE_MS };
  return (
    (await firstBatch(collection, { filter, ...find }, signal)) ??
    (await collection.find(filter, { ...find, ...withSignal(signal) }).toArray())
  );
}

/** Undefined if the reply is incomplete, or failed for now. */
async function firstBatch(
  { conn: { db }, collectionName: name }: mongoose.Collection,
  find: object,
  signal: AbortSignal,
): Promise<object[] | undefined> {
  try {
    const command = { find: name, ...find, readConcern: { level: 'majority' } };
    const answer = (await db?.command(command, withSignal(signal))) as Answer | undefined;
    if (answer === undefined || Number(answer.cursor.id) === 0) return answer?.cursor.firstBatch;
    await db?.command({ killCursors: name, cursors: [answer.cursor.id] }, withSignal(signal));
  } catch (error) {
    const mayPass = error instanceof MongoNetworkError || error instanceof MongoServerError;
    if (!mayPass || signal.aborted || toStoreError(error) === undefined) throw error;
  }
  return undefined;
}
