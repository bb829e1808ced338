import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import mongoose from 'mongoose';
import type { Clock } from '../../src/clock.ts';
import type { EmbeddedStore } from '../../src/local/store/index.ts';
import { withDatabase } from './databaseUri.ts';

/** Names the server that the tests run on; without it they run on the embedded store. No `.env` is read for it. */
const serverUri = process.env['TEST_MONGODB_URI'];

export interface TestDatabase {
  /** `mongodb://…` with a database that no other test knows. */
  uri: string;
}

interface Options {
  /** Moves the embedded store's own time, such as what it expires. A server has its own. */
  clock?: Clock;
  /** Unless false, the driver has time, so that a slow machine is not taken for a store that is down. */
  isPatient?: boolean;
}

/**
 * A database of the test's own: on the server that TEST_MONGODB_URI names, else on the embedded store. It is dropped
 * when the test process ends: any earlier, a server of the test that is still open could create it again.
 */
export async function testDatabase(_t: TestContext, options: Options = {}): Promise<TestDatabase> {
  const { uri } = serverUri === undefined ? await embeddedDatabase(options) : serverDatabase(serverUri);
  return { uri: options.isPatient === false ? uri : withPatience(uri) };
}

/** The kinds of store that a fault test runs on: the embedded one, and a server if there is one. */
export const storeKinds: Record<string, (t: TestContext) => Promise<TestDatabase>> = {
  'the embedded store': () => embeddedDatabase(),
  ...(serverUri !== undefined && { 'a server': async () => serverDatabase(serverUri) }),
};

const cleanups: (() => Promise<void>)[] = [];

after(async () => {
  for (const cleanup of cleanups) await cleanup();
});

let shared: Promise<EmbeddedStore> | undefined;

async function embeddedDatabase({ clock = Date }: Options = {}): Promise<TestDatabase> {
  // A test that moves its clock must not move the time of others.
  const store = await (clock === Date ? (shared ??= startStore(clock)) : startStore(clock));
  return { uri: withDatabase(store.uri, randomName()) };
}

async function startStore(clock: Clock): Promise<EmbeddedStore> {
  const { startEmbeddedStore } = await import('../../src/local/store/index.ts');
  const directory = await mkdtemp(join(tmpdir(), 'tasks-api-'));
  const store = await startEmbeddedStore({ directory, clock });
  cleanups.push(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });
  return store;
}

function serverDatabase(server: string): TestDatabase {
  const uri = withDatabase(server, randomName());
  cleanups.push(async () => {
    const client = await new mongoose.mongo.MongoClient(uri).connect();
    await client.db().dropDatabase();
    await client.close();
  });
  return { uri };
}

function withPatience(uri: string): string {
  return `${uri}${uri.includes('?') ? '&' : '?'}waitQueueTimeoutMS=30000&serverSelectionTimeoutMS=30000&connectTimeoutMS=30000`;
}

function randomName(): string {
  return `tasks_test_${randomBytes(8).toString('hex')}`;
}
