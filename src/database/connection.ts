import mongoose, { type Connection } from 'mongoose';
import type { Clock } from '../clock.ts';
import { connectOptions } from './options.ts';
import { type Log, openStore } from './store.ts';

/** A connection that is not open yet. Models are made on it, never on the global mongoose. */
export function createConnection(): Connection {
  // `strictQuery: true` would silently drop a misspelt key from a filter, and `deleteMany({ownr})` then deletes all.
  const connection = new mongoose.Mongoose({ strictQuery: 'throw' }).createConnection();
  // Before any model is made: mongoose reads these when a model is compiled.
  Object.assign(connection.config as object, { bufferCommands: false, autoIndex: false, autoCreate: false });
  connection.on('error', () => undefined); // the loop has it already; without a listener it would end the process
  return connection;
}

/**
 * Opens the store once, for a command that does its work and ends.
 *
 * @throws {StoreStartError} when it can never be had with this URI.
 * @throws the driver's error when it does not answer.
 */
export async function connectOnce(options: { uri: string; clock: Clock; log: Log }): Promise<{
  connection: Connection;
  close(): Promise<void>;
}> {
  const store = await openStore(options);
  const connection = createConnection();
  const close = async (): Promise<void> => {
    await connection.destroy();
    await store.close();
  };
  try {
    await connection.openUri(store.uri, connectOptions(store.uri));
  } catch (error) {
    await close();
    throw error;
  }
  return { connection, close };
}
