/** Who sends the requests: many users, each with a token, and their tasks. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type Db, type Document, ObjectId } from 'mongodb';
import type { Tenant } from '../support/tenant.ts';
import type { BenchServer } from './processes.ts';

export interface User {
  readonly oid: string;
  readonly token: string;
}

/** A user with a page of tasks, and one of them. */
export interface Reader extends User {
  readonly task: { path: string; etag: string };
}

/** Tasks of a reader: what the API lists by default. */
export const PAGE = 20;
const INSERTED_AT_ONCE = 1000;

export function newUsers(tenant: Tenant, count: number): User[] {
  return times(count, () => {
    const oid = randomUUID();
    return { oid, token: tenant.issueToken({ oid }) };
  });
}

export async function newReaders(tenant: Tenant, server: BenchServer, db: Db, count: number): Promise<Reader[]> {
  const users = newUsers(tenant, count);
  await fill(server, db, users, PAGE);
  const readers: Reader[] = [];
  for (const user of users) {
    const [{ _id }] = (await (await call(server, user, '/api/tasks?limit=1')).json()) as [{ _id: string }];
    const path = `/api/tasks/${_id}`;
    readers.push({ ...user, task: { path, etag: (await call(server, user, path)).headers.get('ETag') ?? '' } });
  }
  return readers;
}

/** Gives each of these owners as many tasks: copies of one that the server itself writes, since an API would take hours. */
export async function fill(server: BenchServer, db: Db, owners: readonly User[], tasksOfEach: number): Promise<void> {
  const [first] = owners as [User];
  const body = JSON.stringify({ Text: 'Buy milk', date: '2026-11-24' });
  const { _id } = (await (await call(server, first, '/api/tasks', { method: 'POST', body })).json()) as { _id: string };
  const tasks = db.collection('tasks');
  const mine = { owner: first.oid, _id: new ObjectId(_id) };
  const original = (await tasks.findOne(mine)) as Document;
  await tasks.deleteOne(mine);
  const copy = (i: number): Document => ({
    ...original,
    _id: new ObjectId(randomBytes(12)),
    version: new ObjectId(randomBytes(12)),
    owner: owners[Math.floor(i / tasksOfEach)]?.oid,
    date: new Date(Date.UTC(2026, 10, 24) + i),
  });
  const count = owners.length * tasksOfEach;
  for (let from = 0; from < count; from += INSERTED_AT_ONCE) {
    const batch = times(Math.min(INSERTED_AT_ONCE, count - from), (i) => copy(from + i));
    await tasks.insertMany(batch, { ordered: false });
  }
}

/** Syncs until there is nothing new. */
export async function lastSyncToken(server: BenchServer, user: User): Promise<string> {
  let path = '/api/tasks/changes';
  for (;;) {
    const { changed, next } = (await (await call(server, user, path)).json()) as { changed: unknown[]; next: string };
    if (changed.length === 0) return next;
    path = `/api/tasks/changes?since=${next}`;
  }
}

export function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

async function call({ port }: BenchServer, { token }: User, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response;
}
