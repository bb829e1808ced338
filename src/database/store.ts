import mongoose, { type Connection } from 'mongoose';
import type { Clock } from '../clock.ts';
import { isUnjournaled } from './options.ts';

/** The part of a bunyan logger that is used here. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** This MONGODB_URI can never work. The message tells the operator why, and shows no password. */
export class StoreStartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreStartError';
  }
}

export interface OpenStore {
  /** For the driver. May hold a password. */
  uri: string;
  close(): Promise<void>;
}

/** A connection that is not open yet. Models are made on it, never on the global mongoose. */
export function createConnection(): Connection {
  // `strictQuery: true` would silently drop a misspelt key from a filter, and `deleteMany({ownr})` then deletes all.
  const strict = { strictQuery: 'throw' } as const;
  // Nothing waits in memory for a missing store, and nothing is created behind our back.
  const noSurprises = { bufferCommands: false, autoIndex: false, autoCreate: false };
  const connection = new mongoose.Mongoose({ ...strict, ...noSurprises }).createConnection();
  connection.on('error', () => undefined); // the loop already handles it; without a listener it would end the process
  return connection;
}

const EMBEDDED = 'embedded:';

export function isEmbedded(uri: string): boolean {
  return uri.startsWith(EMBEDDED);
}

/**
 * Turns MONGODB_URI into one for the driver, and starts the embedded store if it names one. Does not contact a server,
 * which may come later.
 *
 * @throws {StoreStartError} when the driver cannot read the URI, or the embedded store cannot open its directory.
 */
export async function openStore(options: { uri: string; clock: Clock; log: Log }): Promise<OpenStore> {
  if (isEmbedded(options.uri)) return await openEmbedded(options);
  const problem = uriProblem(options.uri);
  if (problem !== undefined) throw new StoreStartError(`MONGODB_URI cannot be used: ${problem}`);
  return { uri: options.uri, close: () => Promise.resolve() };
}

async function openEmbedded({ uri, clock, log }: { uri: string; clock: Clock; log: Log }): Promise<OpenStore> {
  // Never loaded when a server is named: production does not carry it in memory.
  const { startEmbeddedStore } = await import('../local/index.ts');
  const directory = uri.slice(EMBEDDED.length);
  try {
    return await startEmbeddedStore({ directory, clock, log });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreStartError(`the embedded store in ${directory} cannot be opened: ${reason}`, { cause: error });
  }
}

/** Why the driver could never connect to this `mongodb://` or `mongodb+srv://` URI, without its password; else undefined. */
export function uriProblem(uri: string): string | undefined {
  if (isEmbedded(uri)) return undefined;
  if (isUnjournaled(uri)) return 'it says j=false, but writes must be journaled: remove it';
  try {
    // Making a client opens no connection.
    new mongoose.mongo.MongoClient(uri, {}).db();
    return undefined;
  } catch (error) {
    return explain(error, uri);
  }
}

/** The driver's messages quote parts of the URI: nothing before an @ is shown. */
function explain(error: unknown, uri: string): string {
  const message = error instanceof Error ? error.message : String(error);
  // In place of a host there may be a password, if the host was forgotten.
  if (message.startsWith('Unable to parse')) return 'a host is malformed, expected host or host:port';
  const credentials = uri.slice(uri.indexOf('://') + 3, uri.lastIndexOf('@') + 1).slice(0, -1);
  const secrets = [credentials, ...credentials.split(/[:@]/)].filter((part) => part.length > 0);
  const isTelling = secrets.some((secret) => message.includes(secret) || message.includes(safeDecode(secret)));
  return isTelling
    ? 'percent-encode the user and password (encodeURIComponent), and put the hosts after the last @'
    : message;
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
