/** Everything at once for a while, to see whether memory stays flat. */
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Tenant } from '../support/tenant.ts';
import { load, requestBytes } from './load.ts';
import type { Bench, BenchServer } from './processes.ts';
import type { Usage } from './probe.ts';

export interface Soak {
  answers: number;
  aborted: number;
  statuses: Map<number, number>;
  samples: Usage[];
}

const USERS = 300;
const SAMPLES = 20;
const CONNECTIONS = 16;

/** A server that believes X-Forwarded-For, so that one machine can be thousands of clients, and throttles them. */
export async function soak(bench: Bench, seconds: number): Promise<Soak> {
  const server = await bench.ours({ TRUST_PROXY: 'true', THROTTLE_RATE: '20', THROTTLE_BURST: '40' });
  const next = mixedRequests(bench.tenant);
  const end = performance.now() + seconds * 1000;
  // Tables fill and compilers compile at first: that is no leak.
  const warmUp = seconds / 4;
  const [served, aborted, samples] = await Promise.all([
    load({ port: server.port, connections: CONNECTIONS, seconds, next }),
    abortUntil(end, server, next),
    sample(server, warmUp, seconds),
  ]);
  return { answers: served.answers, aborted, statuses: served.statuses, samples };
}

/** How many times the mean of the last quarter of the samples is the mean of the first. */
export function growth({ samples }: Soak, measure: 'heapBytes' | 'rssBytes'): number {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const mean = (some: Usage[]): number => some.reduce((sum, usage) => sum + usage[measure], 0) / some.length;
  return mean(samples.slice(-quarter)) / mean(samples.slice(0, quarter));
}

function mixedRequests(tenant: Tenant): () => Buffer {
  const users = Array.from({ length: USERS }, () => tenant.issueToken());
  const expired = tenant.issueToken({ expiresIn: -3600 });
  const json = 'application/json';
  const send = (method: string, path: string, token: string, body = '', type = json): Buffer =>
    requestBytes(
      method,
      path,
      {
        Authorization: `Bearer ${token}`,
        'X-Forwarded-For': anyAddress(),
        ...(body !== '' && { 'Content-Type': type }),
      },
      body,
    );
  const user = (): string => pick(users);
  const kinds: (() => Buffer)[] = [
    () => send('GET', '/hello', user()),
    () => send('GET', '/api/tasks?limit=5', user()),
    () => send('GET', '/api/tasks/changes', user()),
    () => send('POST', '/api/tasks', user(), JSON.stringify({ Text: `Task ${randomUUID()}` })),
    () => send('DELETE', '/api/tasks', user()),
    () => send('PUT', `/api/tasks/${randomBytes(12).toString('hex')}`, user(), '{"Text":"Buy milk"}'),
    () => send('GET', `/api/tasks/${randomBytes(12).toString('hex')}`, user()),
    () => send('POST', '/api/tasks', user(), '{"Text":'),
    () => send('POST', '/api/tasks', user(), 'a'.repeat(10_000), 'text/csv'),
    () => send('GET', '/hello', expired),
    () => send('GET', '/hello', forged(user(), { kid: randomUUID() })),
    () => send('GET', '/hello', forged(user(), {})),
    () => send('GET', '/hello', randomBytes(60).toString('hex')),
    () => requestBytes('GET', '/api/tasks', { 'X-Forwarded-For': anyAddress() }),
    () => requestBytes('GET', `/nothing/${randomUUID()}`, {}),
  ];
  return () => pick(kinds)();
}

/** A good token's claims under another header and a signature that fits nothing. */
function forged(token: string, header: Record<string, string>): string {
  const [, claims = ''] = token.split('.');
  const head = Buffer.from(JSON.stringify({ alg: 'RS256', kid: 'kid-first', ...header })).toString('base64url');
  return `${head}.${claims}.${randomBytes(256).toString('base64url')}`;
}

/** Connections that end before the answer, or before the request does. */
async function abortUntil(end: number, { port }: BenchServer, next: () => Buffer): Promise<number> {
  let aborted = 0;
  for (; performance.now() < end; aborted += 1) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const request = next();
    socket.write(aborted % 2 === 0 ? request : request.subarray(0, request.length >> 1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    socket.destroy();
  }
  return aborted;
}

async function sample(server: BenchServer, fromSecond: number, toSecond: number): Promise<Usage[]> {
  const samples: Usage[] = [];
  const everyMs = ((toSecond - fromSecond) * 1000) / SAMPLES;
  await new Promise((resolve) => setTimeout(resolve, fromSecond * 1000));
  while (samples.length < SAMPLES) {
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    samples.push(await server.usage({ collectGarbage: true }));
  }
  return samples;
}

function anyAddress(): string {
  return [...randomBytes(4)].join('.');
}

function pick<T>(values: readonly T[]): T {
  return values[Math.floor(Math.random() * values.length)] as T;
}
