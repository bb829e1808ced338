/** What is measured, and against whom. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Wire } from './generator.ts';
import type { Bench, BenchServer, ServerName } from './processes.ts';
import type { Lane, Scenario } from './race.ts';
import { lastSyncToken, newReaders, newUsers, type Reader, times, type User } from './users.ts';

/** What scenarios are made of. */
export interface Stage {
  bench: Bench;
  servers: Record<ServerName, BenchServer>;
  /** Users with a page of tasks each. Whoever writes makes users of their own. */
  readers: readonly Reader[];
}

const NAMES: Record<ServerName, string> = {
  ours: 'this server',
  fastify: 'fastify + jose + driver',
  express: 'express + oauth2-jwt-bearer + mongoose',
  tutorial: "the tutorial's stack",
  node: 'node:http + driver, nothing checked',
};
const EVERYBODY: ServerName[] = ['fastify', 'express', 'tutorial', 'node'];
const CHECKING: ServerName[] = ['fastify', 'express', 'tutorial'];

const USERS = 200;
/** Operations of a batch, such as an app sends that was offline. */
const BATCH = 40;
export async function openStage(bench: Bench): Promise<Stage> {
  const servers: Partial<Stage['servers']> = {};
  for (const name of Object.keys(NAMES) as ServerName[]) servers[name] = await bench.server(name);
  const all = servers as Stage['servers'];
  const readers = await newReaders(bench.tenant, all.ours, await bench.database(), USERS);
  return { bench, servers: all, readers };
}

type Made = Omit<Scenario, 'name'>;

/** By the name that `--only` knows. */
export const scenarios: Record<string, (stage: Stage) => Promise<Made> | Made> = {
  hello({ servers, readers }) {
    const lanes = against(servers, EVERYBODY, 200, eachOf(readers, get('/hello')));
    return { title: '`GET /hello`', lanes };
  },

  list({ servers, readers }) {
    const lanes = against(servers, EVERYBODY, 200, eachOf(readers, get('/api/tasks')));
    return { title: '`GET /api/tasks`, 20 tasks', lanes };
  },

  get({ servers, readers }) {
    const lanes = against(servers, EVERYBODY, 200, eachOf(readers, getTask));
    return { title: '`GET /api/tasks/:id`', lanes };
  },

  conditional({ servers, readers }) {
    const held = (reader: Reader): Wire => getTask(reader, { 'If-None-Match': reader.task.etag });
    const lanes: Scenario['lanes'] = [
      lane(servers.ours, 304, eachOf(readers, held)),
      { ...lane(servers.ours, 200, eachOf(readers, getTask)), name: 'this server, without the condition' },
    ];
    return { title: '`GET /api/tasks/:id`, not modified', lanes };
  },

  create({ bench, servers }) {
    const users = newUsers(bench.tenant, USERS);
    const key = (): Record<string, string> => ({ 'Idempotency-Key': randomUUID() });
    const keyed: Lane = {
      ...lane(servers.ours, 201, (answers) => times(answers, (i) => post(users[i % USERS] as User, key()))),
      name: 'this server, with an Idempotency-Key',
    };
    const lanes = against(servers, EVERYBODY, 201, eachOf(users, post));
    return { title: '`POST /api/tasks`', lanes: [...lanes, keyed] };
  },

  async batch({ bench, servers }) {
    const users = newUsers(bench.tenant, USERS);
    await assertDone(servers.ours, postBatch(users[0] as User));
    const singly = against(servers, CHECKING, 201, eachOf(users, post));
    const together: Lane = {
      ...lane(servers.ours, 200, eachOf(users, postBatch)),
      name: `this server, ${BATCH} in a batch`,
      operations: BATCH,
    };
    return { title: 'A task created, in a batch and singly', lanes: [together, ...singly] };
  },

  async sync({ servers, readers }) {
    const quiet: Wire[] = [];
    for (const reader of readers) {
      quiet.push(get(`/api/tasks/changes?since=${await lastSyncToken(servers.ours, reader)}`)(reader));
    }
    const lanes: Scenario['lanes'] = [
      lane(servers.ours, 200, () => quiet),
      { ...lane(servers.ours, 200, eachOf(readers, get('/api/tasks'))), name: 'this server, list of 20' },
    ];
    return { title: '`GET /api/tasks/changes`, nothing new', lanes };
  },

  unseen({ bench, servers }) {
    const users = newUsers(bench.tenant, USERS);
    const fresh = (i: number): User => {
      const { oid } = users[i % USERS] as User;
      return { oid, token: bench.tenant.issueToken({ oid, jti: randomUUID() }) };
    };
    const lanes = against(servers, CHECKING, 200, (answers) => times(answers, (i) => get('/hello')(fresh(i))));
    return { title: '`GET /hello`, each token seen for the first time', lanes };
  },

  expired({ bench, servers, readers }) {
    const bad = eachOf(readers, ({ oid }) => refused(bench.tenant.issueToken({ oid, expiresIn: -3600 })));
    return { title: 'A flood of expired tokens', lanes: against(servers, CHECKING, 401, bad) };
  },

  forged({ servers, readers }) {
    const bad = eachOf(readers, ({ token }) => refused(forged(token)));
    return { title: 'A flood of tokens with a bad signature', lanes: against(servers, CHECKING, 401, bad) };
  },

  rubbish({ servers, readers }) {
    const bad = eachOf(readers, () => refused(randomBytes(500).toString('base64url')));
    return { title: 'A flood of malformed tokens', lanes: against(servers, CHECKING, 401, bad) };
  },
};

function against(
  servers: Stage['servers'],
  others: readonly ServerName[],
  status: number,
  requests: Lane['requests'],
): Scenario['lanes'] {
  return [lane(servers.ours, status, requests), ...others.map((name) => lane(servers[name], status, requests))];
}

export function lane(server: BenchServer, status: number, requests: Lane['requests']): Lane {
  return { name: NAMES[server.name], server, status, requests };
}

/** The same requests in every turn. */
function eachOf<U extends User>(users: readonly U[], word: (user: U) => Wire): Lane['requests'] {
  const requests = users.map((user) => word(user));
  return () => requests;
}

export function get(path: string): (user: User, headers?: Record<string, string>) => Wire {
  return ({ token }, headers) => ({ method: 'GET', path, headers: { Authorization: `Bearer ${token}`, ...headers } });
}

export function getTask(reader: Reader, headers?: Record<string, string>): Wire {
  return get(reader.task.path)(reader, headers);
}

function refused(token: string): Wire {
  return get('/hello')({ oid: '', token });
}

function postBatch({ token }: User): Wire {
  const operation = { method: 'POST', path: '/api/tasks', body: { Text: 'Buy milk', date: '2026-11-24' } };
  return {
    method: 'POST',
    path: '/api/batch',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ operations: times(BATCH, () => operation) }),
  };
}

/** A batch is answered 200 whatever became of its operations. */
async function assertDone({ port }: BenchServer, { method, path, headers, body = '' }: Wire): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body });
  const { results } = (await response.json()) as { results: { status: number }[] };
  if (results.some(({ status }) => status !== 201)) throw new Error('a batch was not done in full');
}

function post({ token }: User, headers?: Record<string, string>): Wire {
  return {
    method: 'POST',
    path: '/api/tasks',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...headers },
    body: '{"Text":"Buy milk","date":"2026-11-24"}',
  };
}

/** A good token's header and claims, and a signature of the right length that fits nothing. */
function forged(token: string): string {
  return `${token.slice(0, token.lastIndexOf('.'))}.${randomBytes(256).toString('base64url')}`;
}
