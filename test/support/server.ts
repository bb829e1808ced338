/** A server built from the parts that production runs, on a free port, with a tenant and a database of its own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import type { Connection } from 'mongoose';
import { createAuthentication } from '../../src/auth/index.ts';
import type { Clock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { Database } from '../../src/database/database.ts';
import { StoreTime } from '../../src/database/deadline.ts';
import type { Limits } from '../../src/http/limits.ts';
import { createLog } from '../../src/log.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { type App, createServer } from '../../src/server.ts';
import { Client } from './client.ts';
import { testDatabase } from './database.ts';
import { startTenant, type Tenant } from './tenant.ts';
import { until } from './until.ts';

export interface ServerOptions {
  /** Variables besides the tenant's. */
  env?: Record<string, string>;
  clock?: Clock;
  limits?: Partial<Limits>;
  /** Milliseconds that a request may wait for the store. */
  storeMs?: number;
  /** Another server's tenant or database: several instances of one service. */
  tenant?: Tenant;
  uri?: string;
}

export interface TestServer {
  url: string;
  port: number;
  app: App;
  database: Database;
  connection: Connection;
  tenant: Tenant;
  uri: string;
  /** Every line logged so far. */
  logs: Record<string, unknown>[];
  /** A client with that user's token; the user's oid is the name unless claims say otherwise. */
  as: (user: string, claims?: Record<string, unknown>) => Client;
  /** A client without a token. */
  anonymous: Client;
}

/** Starts it, and ends it with the test. */
export async function startServer(t: TestContext, options: ServerOptions = {}): Promise<TestServer> {
  const clock = options.clock ?? Date;
  const tenant = options.tenant ?? (await startTenant(t, { clock }));
  const uri = options.uri ?? (await testDatabase(t, { clock })).uri;
  const config = loadConfig({
    ...tenant.env,
    MONGODB_URI: uri,
    PORT: '0',
    HOST: '127.0.0.1',
    THROTTLE_RATE: '0',
    LOG_LEVEL: 'trace',
    ...options.env,
  });
  const { lines, stream } = captureLog();
  const log = createLog(config.logLevel, stream);
  const metrics = createMetrics(clock);
  const database = new Database({ uri: config.mongodbUri, clock, log });
  const authentication = createAuthentication({
    config,
    clock,
    log,
    onOutcome: metrics.countAuthentication,
    onKeyFetch: metrics.observeKeyFetch,
  });
  // Ample, so that a slow machine does every batch in full; tests of batches that are not done in full give less.
  const limits = { batchMs: 60_000, ...options.limits };
  // Ample, so that a slow machine does not look like a store that is down; tests of a store that is down give less.
  const storeTime = new StoreTime(options.storeMs ?? 30_000);
  const app = createServer({ config, log, clock, database, authentication, metrics, storeTime, limits });
  await database.start();
  authentication.keys.start();
  app.server.listen(0, '127.0.0.1');
  await once(app.server, 'listening');
  const { port } = app.server.address();
  const url = `http://127.0.0.1:${port}`;

  const secrets = new Set<string>();
  t.after(async () => {
    await app.connections.drain(1_000);
    await database.close();
    await authentication.keys.close();
    assertNothingPrivate(lines, secrets);
  });
  const client = (token?: string): Client => new Client(url, token, (secret) => secrets.add(secret));
  await until(() => database.isReady() && authentication.keys.isReady());
  return {
    url,
    port,
    app,
    database,
    connection: database.connection,
    tenant,
    uri,
    get logs() {
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    as: (user, claims = {}) => client(tenant.issueToken({ oid: user, name: user, ...claims })),
    anonymous: client(),
  };
}

function captureLog(): { lines: string[]; stream: Writable } {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  return { lines, stream };
}

/** No token and no task's text may be in any log line of any test. */
function assertNothingPrivate(lines: readonly string[], secrets: ReadonlySet<string>): void {
  const log = lines.join('');
  for (const secret of secrets) assert.ok(!log.includes(secret), `the log holds ${secret}`);
}
