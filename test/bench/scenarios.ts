/** What is measured, and against what. */
import { randomUUID } from 'node:crypto';
import { requestBytes } from './load.ts';
import type { Bench, BenchServer } from './processes.ts';
import type { Lane } from './race.ts';

export interface Scenario {
  title: string;
  lanes: Lane[];
  /** Pairs of lanes: the first is compared to the second. */
  comparisons: [string, string][];
}

export interface Servers {
  ours: BenchServer;
  tutorial: BenchServer;
  fastify: BenchServer;
}

type Make = (bench: Bench, servers: Servers) => Scenario[] | Promise<Scenario[]>;

const TASKS = 20;
/** First-seen tokens in one turn: signing one takes the generator longer than verifying takes the server. */
const NEW_TOKENS = 500;

/** By the name that `--only` knows. */
export const scenarios: Record<string, Make> = {
  peers: async (bench, servers) => {
    const token = await userWithTasks(bench, servers.ours);
    return ['/hello', '/api/tasks'].map((path) => againstPeers(path, token, servers));
  },
  create: (bench, { ours }) => [creating(bench, ours)],
  changes: async (bench, { ours }) => {
    const token = await userWithTasks(bench, ours);
    const since = await lastSyncToken(ours, token);
    const lanes = [
      same('changes, nothing new', ours, 200, get(`/api/tasks/changes?since=${since}`, token)),
      same('list of 20', ours, 200, get('/api/tasks', token)),
    ];
    return [pair('GET /api/tasks/changes', lanes)];
  },
  tokens: (bench, { ours }) => [tokens(bench, ours)],
};

function againstPeers(path: string, token: string, { ours, tutorial, fastify }: Servers): Scenario {
  const request = get(path, token);
  return {
    title: `GET ${path}`,
    lanes: [
      same('ours', ours, 200, request),
      same('tutorial', tutorial, 200, request),
      same('fastify + jose', fastify, 200, request),
    ],
    comparisons: [
      ['ours', 'tutorial'],
      ['ours', 'fastify + jose'],
    ],
  };
}

function creating(bench: Bench, server: BenchServer): Scenario {
  const token = bench.tenant.issueToken();
  const body = JSON.stringify({ Text: 'Buy milk', date: '2026-11-24' });
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const post = (more: Record<string, string> = {}): Buffer =>
    requestBytes('POST', '/api/tasks', { ...headers, ...more }, body);
  const keyed: Lane = {
    name: 'with Idempotency-Key',
    server,
    status: 201,
    requests: () => () => post({ 'Idempotency-Key': randomUUID() }),
  };
  return pair('POST /api/tasks', [keyed, same('without', server, 201, post())]);
}

function tokens(bench: Bench, server: BenchServer): Scenario {
  const oid = randomUUID();
  const request = (): Buffer => get('/hello', bench.tenant.issueToken({ oid, jti: randomUUID() }));
  const firstSeen: Lane = {
    name: 'first-seen token',
    server,
    status: 200,
    requests: () => {
      const prepared = Array.from({ length: NEW_TOKENS }, request);
      return () => prepared.pop();
    },
  };
  return pair('GET /hello', [same('remembered token', server, 200, request()), firstSeen]);
}

function pair(title: string, lanes: [Lane, Lane] | Lane[]): Scenario {
  const [first, second] = lanes as [Lane, Lane];
  return { title, lanes, comparisons: [[first.name, second.name]] };
}

/** A lane that sends the same request again and again. */
function same(name: string, server: BenchServer, status: number, request: Buffer): Lane {
  return { name, server, status, requests: () => () => request };
}

function get(path: string, token: string): Buffer {
  return requestBytes('GET', path, { Authorization: `Bearer ${token}` });
}

/** The token of a new user who has a page of tasks. */
async function userWithTasks({ tenant }: Bench, server: BenchServer): Promise<string> {
  const token = tenant.issueToken();
  for (let i = 1; i <= TASKS; i += 1) {
    await call(server, token, '/api/tasks', {
      method: 'POST',
      body: JSON.stringify({ Text: `Task ${i} of ${TASKS}` }),
    });
  }
  return token;
}

/** Syncs until there is nothing new. */
async function lastSyncToken(server: BenchServer, token: string): Promise<string> {
  let path = '/api/tasks/changes';
  for (;;) {
    const { changed, next } = (await call(server, token, path)) as { changed: unknown[]; next: string };
    if (changed.length === 0) return next;
    path = `/api/tasks/changes?since=${next}`;
  }
}

async function call({ port }: BenchServer, token: string, path: string, init: RequestInit = {}): Promise<unknown> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return await response.json();
}
