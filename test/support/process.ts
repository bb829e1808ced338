/** The real process, `src/main.ts`, started as an operator would start it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryDirectory } from './directory.ts';
import { certificate, type Tenant } from './tenant.ts';

export interface ApiProcess {
  child: ChildProcess;
  port: number;
  url: string;
  /** Lines logged so far. */
  logs(): Record<string, unknown>[];
  /** Exit code; null when a signal ended it. */
  exited: Promise<number | null>;
  stderr(): string;
}

/** For a program that knows nothing of the shell that the tests were started from. */
export const bareEnv = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] };

const MAIN = path.join(import.meta.dirname, '../../src/main.ts');

/** Starts it in an empty folder, so that no `.env` is read. Rejects with what it printed when it does not listen. */
export async function startProcess(t: TestContext, tenant: Tenant, env: Record<string, string>): Promise<ApiProcess> {
  const api = await spawnProcess(t, { ...tenant.env, PORT: '0', HOST: '127.0.0.1', THROTTLE_RATE: '0', ...env });
  const port = await Promise.race([
    portOf(api),
    api.exited.then((code) => Promise.reject(new Error(`exit ${code ?? 'by signal'}: ${api.stdout()}${api.stderr()}`))),
  ]);
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url);
  return { ...api, port, url };
}

/** Starts it with nothing but these variables, and perhaps a `.env` of that content. */
export async function spawnProcess(t: TestContext, env: Record<string, string>, envFile?: Buffer | 'directory') {
  const directory = await temporaryDirectory(t);
  const envPath = path.join(directory, '.env');
  if (envFile === 'directory') await mkdir(envPath);
  else if (envFile !== undefined) await writeFile(envPath, envFile);
  const ca = path.join(directory, 'ca.pem');
  await writeFile(ca, (await certificate()).cert);
  const child = spawn(process.execPath, [MAIN], {
    cwd: directory,
    env: { ...bareEnv, NODE_EXTRA_CA_CERTS: ca, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return {
    child,
    exited,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    logs: () => output.stdout.split('\n').flatMap((line) => parseLine(line)),
  };
}

function parseLine(line: string): Record<string, unknown>[] {
  return line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line) as Record<string, unknown>] : [];
}

async function portOf(api: { logs(): Record<string, unknown>[] }): Promise<number> {
  for (;;) {
    const listening = api.logs().find(({ msg }) => msg === 'listening');
    if (listening !== undefined) return Number(listening['port']);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function untilReady(url: string): Promise<void> {
  while (!(await fetch(`${url}/readyz`)).ok) await new Promise((resolve) => setTimeout(resolve, 20));
}
