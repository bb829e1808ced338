/** Everything at once for a while, to see whether memory stays flat. */
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Wire } from './generator.ts';
import type { Usage } from './probe.ts';
import type { Bench, BenchServer } from './processes.ts';
import { newUsers, times } from './users.ts';

export interface Soak {
  seconds: number;
  aborted: number;
  /** Answers by status. */
  statuses: Record<string, number>;
  samples: Usage[];
}

const USERS = 300;
const CONNECTIONS = 16;
/** Requests of one lap, none of which comes again. */
const LAP = 4000;

/** A server that believes X-Forwarded-For, so that one machine can be thousands of clients, and throttles them. */
export async function soak(bench: Bench, seconds: number): Promise<Soak> {
  const server = await bench.server('ours', {
    env: { TRUST_PROXY: 'true', THROTTLE_RATE: '20', THROTTLE_BURST: '40' },
  });
  const begin = performance.now();
  const end = begin + seconds * 1000;
  const next = mixedRequests(bench);
  const statuses: Record<string, number> = {};
  const samples: Usage[] = [];
  const aborting = abortUntil(end, server, next);
  while (performance.now() < end) {
    const requests = times(LAP, next);
    const lap = await bench.load({ port: server.port, connections: CONNECTIONS, requests, answers: LAP });
    for (const [status, count] of Object.entries(lap.statuses)) statuses[status] = (statuses[status] ?? 0) + count;
    // Tables fill and compilers compile at first: that is no leak.
    if (performance.now() > begin + seconds * 250) samples.push(await server.usage({ collectGarbage: true }));
  }
  return { seconds, aborted: await aborting, statuses, samples };
}

export function describeSoak({ seconds, aborted, statuses, samples }: Soak): string {
  const answers = Object.entries(statuses).map(([status, count]) => `${status}: ${count}`);
  const memory = (['heapBytes', 'rssBytes'] as const).map((measure) => {
    const megabytes = Math.round((samples.at(-1)?.[measure] ?? 0) / 1e6);
    return `- ${measure}: ${growthOf(samples, measure).toFixed(2)} × (${megabytes} MB at the end)`;
  });
  return [
    `\n### ${seconds} s of everything at once\n`,
    `Answers ${answers.join(', ')}; ${aborted} requests aborted. Last quarter of the samples to the first:\n`,
    ...memory,
  ].join('\n');
}

/** How many times the mean of the last quarter of the samples is the mean of the first. */
function growthOf(samples: readonly Usage[], measure: 'heapBytes' | 'rssBytes'): number {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const mean = (some: readonly Usage[]): number => some.reduce((sum, usage) => sum + usage[measure], 0) / some.length;
  return mean(samples.slice(-quarter)) / mean(samples.slice(0, quarter));
}

function mixedRequests(bench: Bench): () => Wire {
  const users = newUsers(bench.tenant, USERS);
  const expired = bench.tenant.issueToken({ expiresIn: -3600 });
  const json = 'application/json';
  const send = (method: Wire['method'], path: string, token?: string, body?: string, type = json): Wire => ({
    method,
    path,
    headers: {
      'X-Forwarded-For': [...randomBytes(4)].join('.'),
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': type }),
    },
    ...(body !== undefined && { body }),
  });
  const user = (): string => pick(users).token;
  const kinds: (() => Wire)[] = [
    () => send('GET', '/hello', user()),
    () => send('GET', '/api/tasks?limit=5', user()),
    () => send('GET', '/api/tasks/changes', user()),
    () => send('POST', '/api/tasks', user(), JSON.stringify({ Text: `Task ${randomUUID()}` })),
    () => send('DELETE', '/api/tasks?all=true', user()),
    () => send('PUT', `/api/tasks/${randomBytes(12).toString('hex')}`, user(), '{"Text":"Buy milk"}'),
    () => send('GET', `/api/tasks/${randomBytes(12).toString('hex')}`, user()),
    () => send('POST', '/api/tasks', user(), '{"Text":'),
    () => send('POST', '/api/tasks', user(), 'a'.repeat(10_000), 'text/csv'),
    () => send('GET', '/hello', expired),
    () => send('GET', '/hello', forged(user(), { kid: randomUUID() })),
    () => send('GET', '/hello', forged(user(), {})),
    () => send('GET', '/hello', randomBytes(60).toString('hex')),
    () => send('GET', '/api/tasks'),
    () => send('GET', `/nothing/${randomUUID()}`),
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
async function abortUntil(end: number, { port }: BenchServer, next: () => Wire): Promise<number> {
  let aborted = 0;
  for (; performance.now() < end; aborted += 1) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const request = bytesOf(next());
    socket.write(aborted % 2 === 0 ? request : request.subarray(0, request.length >> 1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    socket.destroy();
  }
  return aborted;
}

function bytesOf({ method, path, headers, body = '' }: Wire): Buffer {
  const length = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const fields = Object.entries({ Host: 'localhost', ...headers, ...length }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return Buffer.from([`${method} ${path} HTTP/1.1`, ...fields, '', body].join('\r\n'));
}

function pick<T>(values: readonly T[]): T {
  return values[Math.floor(Math.random() * values.length)] as T;
}
