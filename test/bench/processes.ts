/** The processes that a benchmark needs: servers as an operator would start them, and the store they share. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { certificate, Tenant } from '../support/tenant.ts';
import type { Usage } from './probe.ts';

export interface BenchServer {
  port: number;
  usage(options?: { collectGarbage: boolean }): Promise<Usage>;
}

const OURS = path.join(import.meta.dirname, '../../src/main.ts');
const PEERS = { tutorial: 'peers/tutorial.ts', fastify: 'peers/fastify.ts' };
const PROBE = new URL('probe.ts', import.meta.url).href;
const READY_MS = 15_000;
const STOP_MS = 15_000;

/** A tenant, a store, and any number of servers on both. Close it, whatever happened. */
export class Bench {
  readonly tenant = new Tenant();
  readonly #children: ChildProcess[] = [];
  #directory = '';
  #storeUri = '';

  async open(): Promise<void> {
    this.#directory = await mkdtemp(path.join(tmpdir(), 'tasks-api-bench-'));
    await this.tenant.listen();
    await writeFile(this.#ca, (await certificate()).cert);
    const store = this.#spawn('store.ts', { DIRECTORY: path.join(this.#directory, 'store') });
    const [{ uri }] = (await once(store, 'message')) as [{ uri: string }];
    this.#storeUri = uri;
  }

  async close(): Promise<void> {
    // The store, which was first, goes last: nobody is to miss it.
    for (const child of this.#children.toReversed()) await stop(child);
    await this.tenant.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Our own server, with these variables besides the usual ones. */
  async ours(env: Record<string, string> = {}): Promise<BenchServer> {
    return await this.#serve(OURS, { THROTTLE_RATE: '0', ...env });
  }

  async peer(name: keyof typeof PEERS): Promise<BenchServer> {
    return await this.#serve(PEERS[name]);
  }

  get #ca(): string {
    return path.join(this.#directory, 'ca.pem');
  }

  async #serve(script: string, env: Record<string, string> = {}): Promise<BenchServer> {
    const port = await freePort();
    const child = this.#spawn(script, {
      NODE_ENV: 'production',
      MONGODB_URI: `${this.#storeUri}bench`,
      HOST: '127.0.0.1',
      PORT: String(port),
      ...this.tenant.env,
      ...env,
    });
    await untilReady(port, child);
    return { port, usage: (options) => askUsage(child, options) };
  }

  /** What it logs goes to the null device: written as in production, and read by nobody who would need a core. */
  #spawn(script: string, env: Record<string, string>): ChildProcess {
    const args = ['--expose-gc', '--import', PROBE, path.resolve(import.meta.dirname, script)];
    const child = spawn(process.execPath, args, {
      cwd: this.#directory,
      env: { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: this.#ca, ...env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#children.push(child);
    return child;
  }
}

async function askUsage(child: ChildProcess, options = { collectGarbage: false }): Promise<Usage> {
  const answered = once(child, 'message');
  child.send(options);
  const [usage] = (await answered) as [Usage];
  return usage;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(late);
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
async function untilReady(port: number, child: ChildProcess): Promise<void> {
  const end = performance.now() + READY_MS;
  while (child.exitCode === null && performance.now() < end) {
    const status = await statusOf(`http://127.0.0.1:${port}/readyz`);
    if (status === 200 || status === 404) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${child.spawnargs.at(-1) ?? ''} did not become ready`);
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
