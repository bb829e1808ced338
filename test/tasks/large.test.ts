import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from 'mongoose';
import type { Client, TaskJson } from '../support/client.ts';
import { startServer } from '../support/server.ts';

interface ChangesJson {
  changed: TaskJson[];
  removed: string[];
  next: string;
  more: boolean;
}

/** All pages of a sync. Each of them is answered, and leads on. */
async function syncAll(client: Client, since = ''): Promise<{ changed: string[]; removed: string[]; next: string }> {
  const changed: string[] = [];
  const removed: string[] = [];
  let next = since;
  for (let more = true; more;) {
    const response = await client.get(`/api/tasks/changes?limit=100${next === '' ? '' : `&since=${next}`}`);
    assert.equal(response.status, 200, await response.clone().text());
    const page = (await response.json()) as ChangesJson;
    assert.ok(!page.more || page.next !== next, 'a page that leads nowhere');
    changed.push(...page.changed.map(({ _id }) => _id));
    removed.push(...page.removed);
    ({ next, more } = page);
  }
  return { changed, removed, next };
}

/** In bulk; resolves to their ids. */
async function seed(connection: Connection, count: number, document: (i: number) => object): Promise<string[]> {
  const ids: string[] = [];
  for (let start = 0; start < count; start += 5000) {
    const documents = Array.from({ length: Math.min(5000, count - start) }, (_, i) => document(start + i));
    const { insertedIds } = await connection.collection('tasks').insertMany(documents);
    ids.push(...Object.values(insertedIds).map(String));
  }
  return ids;
}

const taskOf = (owner: string) => (i: number) => ({ owner, Text: `Task ${i}`, date: new Date() });

test('a first sync of 5,000 tasks reports each of them once', async (t) => {
  const { as, connection } = await startServer(t);
  const ids = await seed(connection, 5000, taskOf('alice'));

  const { changed, removed } = await syncAll(as('alice'));

  assert.deepEqual(changed.sort(), ids.sort());
  assert.deepEqual(removed, []);
});

test('4,000 tasks are deleted in one request, though half of them take as long as it may wait, and the next sync reports them', async (t) => {
  const { as, connection, uri, tenant } = await startServer(t);
  const { next } = await syncAll(as('alice'));
  const ids = await seed(connection, 4000, taskOf('alice'));
  await seed(connection, 2000, taskOf('bob'));
  const begun = performance.now();
  assert.equal((await as('bob').delete('/api/tasks?all=true')).status, 204);
  // As long as half as many have just taken on this machine.
  const hasty = await startServer(t, { uri, tenant, storeMs: performance.now() - begun });

  const response = await hasty.as('alice').delete('/api/tasks?all=true');

  assert.equal(response.status, 204, await response.text());
  assert.deepEqual(await as('alice').list(), []);
  const { changed, removed } = await syncAll(as('alice'), next);
  assert.deepEqual(changed, []);
  assert.deepEqual(removed.sort(), ids.sort());
});

test('a first sync gets past 20,000 deletions, whether they have their numbers or not', async (t) => {
  const { as, connection } = await startServer(t);
  const deletedAt = new Date();
  const kept = await seed(connection, 1, taskOf('alice'));
  await seed(connection, 17_500, (i) => ({ owner: 'alice', deletedAt, seq: 1 + Math.floor(i / 250) }));
  kept.push(...(await seed(connection, 1, (i) => ({ ...taskOf('alice')(i), seq: 71 }))));
  const unnumbered = await seed(connection, 2500, () => ({ owner: 'alice', deletedAt }));
  kept.push(...(await seed(connection, 1, taskOf('alice'))));

  const { changed, removed, next } = await syncAll(as('alice'));

  assert.deepEqual(changed.sort(), kept.sort());
  const known = new Set(unnumbered);
  assert.ok(
    removed.every((id) => known.has(id)),
    'a deletion of before is told',
  );
  const second = await syncAll(as('alice'), next);
  assert.deepEqual([second.changed, second.removed], [[], []]);
});
