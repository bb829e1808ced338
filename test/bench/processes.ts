/** The processes that a benchmark needs: servers as an operator would start them, the store they share, the load. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Db, MongoClient } from 'mongodb';
import { withDatabase } from '../support/databaseUri.ts';
import { certificate, Tenant } from '../support/tenant.ts';
import { Child } from './child.ts';
import type { Load, Served } from './generator.ts';
import type { Question, Usage } from './probe.ts';

const SCRIPTS = {
  ours: '../../src/main.ts',
  fastify: 'peers/fastify.ts',
  express: 'peers/express.ts',
  tutorial: 'peers/tutorial.ts',
  node: 'peers/node.ts',
};

export type ServerName = keyof typeof SCRIPTS;

export interface BenchServer {
  readonly name: ServerName;
  readonly port: number;
  usage(question?: Question): Promise<Usage>;
}

export interface ServerOptions {
  /** Variables besides the usual ones. */
  env?: Record<string, string>;
  /** A database of its own instead of the shared one. */
  database?: string;
}

const SHARED = 'shared';
const READY_MS = 60_000;
/** Names the server to measure on; without it there is an embedded store, in a process of its own. */
const serverUri = process.env['TEST_MONGODB_URI'];

/** A tenant, a store, a generator of load, and any number of servers. Close it, whatever happened. */
export class Bench {
  readonly tenant = new Tenant();
  readonly #prefix = `tasks_bench_${randomBytes(4).toString('hex')}_`;
  readonly #children: Child[] = [];
  readonly #clients: MongoClient[] = [];
  #directory = '';
  #storeUri = '';
  #store: Child | undefined;
  #generator: Child | undefined;

  async open(): Promise<void> {
    this.#directory = await mkdtemp(path.join(tmpdir(), 'tasks-api-bench-'));
    await this.tenant.listen();
    await writeFile(this.#ca, (await certificate()).cert);
    this.#storeUri = serverUri ?? (await this.#openStore());
    this.#generator = this.#spawn('generator.ts', {}, false);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) {
      if (serverUri !== undefined) await client.db().dropDatabase();
      await client.close();
    }
    // The store, which came first, goes last, so that no server misses it.
    for (const child of this.#children.toReversed()) await child.stop();
    await this.tenant.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async server(name: ServerName, { env = {}, database = SHARED }: ServerOptions = {}): Promise<BenchServer> {
    const port = await freePort();
    const child = this.#spawn(SCRIPTS[name], {
      NODE_ENV: 'production',
      NODE_EXTRA_CA_CERTS: this.#ca,
      MONGODB_URI: this.#uri(database),
      THROTTLE_RATE: '0',
      HOST: '127.0.0.1',
      PORT: String(port),
      ...this.tenant.env,
      ...env,
    });
    await untilReady(name, port, child);
    return { name, port, usage: async (question = {}) => (await child.ask(question)) as Usage };
  }

  async load(load: Load): Promise<Served> {
    return (await this.#generator?.ask(load)) as Served;
  }

  /** Milliseconds of CPU time that the store has taken; NaN when it is a server of somebody else's. */
  async storeCpuMs(): Promise<number> {
    return this.#store === undefined ? NaN : ((await this.#store.ask({})) as Usage).cpuMs;
  }

  /** For filling a database faster than through an API. It is dropped in the end. */
  async database(database = SHARED): Promise<Db> {
    const client = await new MongoClient(this.#uri(database)).connect();
    this.#clients.push(client);
    return client.db();
  }

  get #ca(): string {
    return path.join(this.#directory, 'ca.pem');
  }

  #uri(database: string): string {
    return withDatabase(this.#storeUri, this.#prefix + database);
  }

  async #openStore(): Promise<string> {
    this.#store = this.#spawn('store.ts', { DIRECTORY: path.join(this.#directory, 'store') });
    return ((await this.#store.receive()) as { uri: string }).uri;
  }

  #spawn(script: string, env: Record<string, string>, isProbed = true): Child {
    const child = new Child(path.resolve(import.meta.dirname, script), { cwd: this.#directory, env, isProbed });
    this.#children.push(child);
    return child;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A peer has no `/readyz`, but answers at all only when its store is connected. */
async function untilReady(name: ServerName, port: number, child: Child): Promise<void> {
  const end = performance.now() + READY_MS;
  while (child.isRunning && performance.now() < end) {
    const status = await statusOf(`http://127.0.0.1:${port}/readyz`);
    if (status === 200 || status === 404) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} did not become ready`);
}

async function statusOf(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return undefined;
  }
}
