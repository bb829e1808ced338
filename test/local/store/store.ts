import type { TestContext } from 'node:test';
import mongoose from 'mongoose';
import { startEmbeddedStore } from '../../../src/local/store/index.ts';
import { type MovableClock, movableClock } from '../../support/clock.ts';
import { temporaryDirectory } from '../../support/directory.ts';

const { MongoClient } = mongoose.mongo;
export type Client = InstanceType<typeof MongoClient>;
export type Db = ReturnType<Client['db']>;
export type Collection = ReturnType<Db['collection']>;

export interface OpenStore {
  directory: string;
  uri: string;
  clock: MovableClock;
  client: Client;
  db: Db;
  collection: Collection;
}

/** A store of the test's own with a plain driver connected to it. */
export async function openStore(t: TestContext): Promise<OpenStore> {
  const directory = await temporaryDirectory(t);
  const clock = movableClock();
  const store = await startEmbeddedStore({ directory, clock });
  t.after(() => store.close());
  const client = await connect(t, store.uri);
  const db = client.db('test');
  return { directory, uri: store.uri, clock, client, db, collection: db.collection('things') };
}

export async function connect(t: TestContext, uri: string): Promise<Client> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 2000 });
  t.after(() => client.close());
  return client.connect();
}

export async function countOf(
  collection: Pick<Collection, 'find'>,
  filter: object = {},
  options = {},
): Promise<number> {
  return (await collection.find(filter, options).toArray()).length;
}

/** The error that MongoDB would answer: its code and that its message names what was refused. */
export function refusal(code: number, name: string) {
  return (error: unknown): boolean => {
    const { code: actual, message } = error as { code?: number; message: string };
    if (actual === code && message.includes(name)) return true;
    throw new Error(`expected code ${code} naming ${name}, got ${actual}: ${message}`, { cause: error });
  };
}
