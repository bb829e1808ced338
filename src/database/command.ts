/** What commands that use the store have in common. */
import type { Connection } from 'mongoose';
import { generalVariables } from '../../config/variables.ts';
import { loadEnvFile } from '../envFile.ts';
import { isRefusal, toStoreError } from './errors.ts';
import { connectOptions } from './options.ts';
import { createConnection, openStore } from './store.ts';

export interface StoreCommand {
  /** The start of its messages, such as `users`. */
  name: string;
  /** The environment; a `.env` adds to it. */
  env: NodeJS.ProcessEnv;
  /** For warnings: stdout is only for the answer. */
  stderr: { write(text: string): unknown };
}

/**
 * Runs the work on the store that MONGODB_URI names, and closes it. Needs none of the tenant's variables.
 *
 * @throws {StoreStartError} when this URI can never work.
 * @throws the driver's error when it does not answer.
 */
export async function withStore<T>(command: StoreCommand, work: (connection: Connection) => Promise<T>): Promise<T> {
  const warn = (_fields: object, message: string): void => {
    command.stderr.write(`${command.name}: ${message}\n`);
  };
  const log = { info: () => undefined, warn, error: warn };
  const store = await openStore({ uri: readUri(command.env), clock: Date, log });
  const connection = createConnection();
  try {
    await connection.openUri(store.uri, connectOptions(store.uri));
    return await work(connection);
  } finally {
    await connection.destroy();
    await store.close();
  }
}

/** What to tell the operator of an error. */
export function explainFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (isRefusal(error)) return `the store refuses the user in MONGODB_URI: ${message}`;
  return toStoreError(error) === undefined ? message : `the store cannot be reached: ${message}`;
}

function readUri(env: NodeJS.ProcessEnv): string {
  loadEnvFile(env);
  const { name, expected } = generalVariables.mongodbUri;
  const uri = env[name]?.trim() ?? '';
  if (!/^(mongodb(\+srv)?:\/\/|embedded:.)/.test(uri)) {
    throw new Error(`${name} is ${uri === '' ? 'not set' : 'malformed'}, expected ${expected}`);
  }
  return uri;
}
