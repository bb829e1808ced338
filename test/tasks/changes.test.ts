import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidQueryError, SyncTokenExpiredError } from '../../src/errors.ts';
import { encodeSyncToken, readSyncToken } from '../../src/tasks/changes.ts';
import { randomId } from '../../src/tasks/document.ts';
import { type Client, expectProblem, type TaskJson } from '../support/client.ts';
import { movableClock } from '../support/clock.ts';
import { startServer } from '../support/server.ts';
import { proxyStore } from '../support/tcpProxy.ts';

const DAY_MS = 24 * 3_600_000;
const ID = '6742d0c4e1a2b3c4d5e6f708';

interface ChangesJson {
  changed: TaskJson[];
  removed: string[];
  next: string;
  more: boolean;
}

async function changes(client: Client, since?: string, limit?: number): Promise<ChangesJson> {
  const query = new URLSearchParams({ ...(since && { since }), ...(limit && { limit: String(limit) }) });
  const response = await client.get(`/api/tasks/changes?${query.toString()}`);
  assert.equal(response.status, 200, await response.clone().text());
  const answer = (await response.json()) as ChangesJson;
  assert.deepEqual(Object.keys(answer), ['changed', 'removed', 'next', 'more']);
  const ids = [...answer.changed.map(({ _id }) => _id), ...answer.removed];
  assert.equal(new Set(ids).size, ids.length, 'an id is there twice');
  return answer;
}

/** Everything since a token, however many pages it takes. */
async function allChanges(client: Client, since?: string, limit?: number): Promise<ChangesJson & { pages: number }> {
  const all = { changed: [] as TaskJson[], removed: [] as string[], next: since ?? '', more: true, pages: 0 };
  while (all.more) {
    const { changed, removed, next, more } = await changes(client, all.next, limit);
    all.changed.push(...changed);
    all.removed.push(...removed);
    Object.assign(all, { next, more, pages: all.pages + 1 });
  }
  return all;
}

const nothing = { changed: [], removed: [], more: false };

test('a first sync has everything there is, and says nothing of what was deleted before', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const kept = await alice.create({ Text: 'Buy milk' });
  const { _id } = await alice.create({ Text: 'Buy bread' });
  await alice.delete(`/api/tasks/${_id}`);

  const first = await changes(alice);
  const second = await changes(alice, first.next);

  assert.deepEqual(first, { ...nothing, changed: [kept], next: first.next });
  assert.deepEqual(second, { ...nothing, next: second.next });
});

test('a first sync in several pages says nothing of what was deleted before either', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  for (const digit of ['a', 'b', 'c']) await alice.put(`/api/tasks/${digit.repeat(24)}`, { Text: digit });
  await alice.delete(`/api/tasks/${'c'.repeat(24)}`);

  const { changed, removed, pages } = await allChanges(alice, undefined, 1);

  assert.deepEqual([changed.map(({ Text }) => Text), removed], [['a', 'b'], []]);
  assert.ok(pages >= 2);
});

test('what was created, changed and deleted since is in the next answer, each task once', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const [a, b, c] = [
    await alice.create({ Text: 'a' }),
    await alice.create({ Text: 'b' }),
    await alice.create({ Text: 'c' }),
  ];
  const { next } = await changes(alice);

  await alice.patch(`/api/tasks/${a._id}`, { completed: true });
  await alice.patch(`/api/tasks/${a._id}`, { Text: 'A' });
  await alice.delete(`/api/tasks/${b._id}`);
  await alice.put('/api/tasks/me', { Text: 'c', date: '2026-12-24' });
  const d = await alice.create({ Text: 'd' });
  await alice.delete(`/api/tasks/${(await alice.create({ Text: 'e' }))._id}`);
  const answer = await changes(alice, next);

  assert.deepEqual(
    Object.fromEntries(answer.changed.map(({ _id, Text }) => [_id, Text])),
    Object.fromEntries([
      [a._id, 'A'],
      [c._id, 'c'],
      [d._id, 'd'],
    ]),
  );
  assert.equal(answer.removed.length, 2);
  assert.ok(answer.removed.includes(b._id));
  assert.deepEqual({ ...(await changes(alice, answer.next)), next: '' }, { ...nothing, next: '' });
});

test('a task that is deleted and then put again is changed, not removed', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  await alice.put(`/api/tasks/${ID}`, { Text: 'Buy milk' });
  const { next } = await changes(alice);
  await alice.delete(`/api/tasks/${ID}`);
  const afterDeletion = await changes(alice, next);
  await alice.put(`/api/tasks/${ID}`, { Text: 'Buy bread' });

  const { changed, removed } = await changes(alice, next);

  assert.deepEqual(afterDeletion.removed, [ID]);
  assert.deepEqual(removed, []);
  assert.equal(changed[0]?.Text, 'Buy bread');
});

test('a deletion is reported, whichever way it was made', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  for (const Text of ['a', 'b', 'c', 'd', 'd', 'e']) await alice.create({ Text });
  const { next, changed } = await changes(alice);
  const idOf = (text: string): string => changed.find(({ Text }) => Text === text)?._id ?? '';

  await alice.delete(`/api/tasks/${idOf('a')}`);
  await alice.delete(`/api/tasks/me/${idOf('b')}`);
  await alice.delete('/api/tasks/me/c');
  await alice.delete('/tasks', { task: 'd' });
  await alice.delete('/api/tasks?all=true');

  const { removed } = await changes(alice, next);
  assert.deepEqual([...removed].sort(), changed.map(({ _id }) => _id).sort());
});

test('pages are as long as asked, and a change between them is not missed', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  for (let i = 0; i < 5; i += 1) await alice.create({ Text: `Task ${i}` });

  const first = await changes(alice, undefined, 2);
  assert.deepEqual([first.changed.length, first.more], [2, true]);
  const [seen] = first.changed;
  await alice.delete(`/api/tasks/${seen?._id ?? ''}`);
  const added = await alice.create({ Text: 'Task 5' });
  const rest = await allChanges(alice, first.next, 2);

  assert.deepEqual(rest.removed, [seen?._id]);
  assert.ok(rest.changed.some(({ _id }) => _id === added._id));
  const known = new Set([...first.changed, ...rest.changed].map(({ _id }) => _id));
  assert.equal(known.size, 6);
  assert.deepEqual((await changes(alice, rest.next)).changed, []);
});

test('a page is 100 changes unless the client says otherwise', async (t) => {
  const { as, connection } = await startServer(t);
  const tasks = Array.from({ length: 101 }, () => ({ owner: 'alice', Text: 'Buy milk', date: new Date() }));
  await connection.collection('tasks').insertMany(tasks);

  const first = await changes(as('alice'));
  const second = await changes(as('alice'), first.next);

  assert.deepEqual([first.changed.length, first.more], [100, true]);
  assert.deepEqual([second.changed.length, second.more], [1, false]);
});

test('a history too long for one request takes several, and only deletions that may be news are reported', async (t) => {
  const { as, connection } = await startServer(t);
  const alice = as('alice');
  const tasks = Array.from({ length: 2100 }, (_, i) =>
    i % 100 === 0 ? { owner: 'alice', Text: 'Buy milk', date: new Date() } : { owner: 'alice', deletedAt: new Date() },
  );
  await connection.collection('tasks').insertMany(tasks);

  const { changed, removed, pages } = await allChanges(alice);

  assert.equal(changed.length, 21);
  // The last of the 2,100 had no number when the first sync began. How many it can number depends on the time it has.
  assert.ok(removed.length >= 99 && removed.length < 2079, `${removed.length} were told`);
  assert.ok(pages >= 2);
});

test('a token is good for 30 days, counted from when its client knew everything', async (t) => {
  const clock = movableClock();
  const { as } = await startServer(t, { clock });
  for (let i = 0; i < 3; i += 1) await as('alice').create({ Text: `Task ${i}` });
  const half = await changes(as('alice'), undefined, 1);
  const whole = await changes(as('alice'));

  clock.advance(29 * DAY_MS);
  const later = await changes(as('alice'), half.next, 1);
  assert.equal(later.more, true);
  await changes(as('alice'), whole.next);
  clock.advance(DAY_MS);
  await changes(as('alice'), whole.next);
  clock.advance(1);
  for (const token of [whole.next, half.next, later.next]) {
    const response = await as('alice').get(`/api/tasks/changes?since=${token}`);
    await expectProblem(response, 410, 'SyncTokenExpired', /start again without "since"/);
  }
});

test('a token of a history that is gone is expired', async (t) => {
  const { as, connection } = await startServer(t);
  const alice = as('alice');
  await alice.create({ Text: 'Buy milk' });
  const { next } = await changes(alice);

  await expectProblem(await as('bob').get(`/api/tasks/changes?since=${next}`), 410, 'SyncTokenExpired');
  await connection.collection('syncs').deleteMany({ owner: 'alice' });
  await expectProblem(await alice.get(`/api/tasks/changes?since=${next}`), 410, 'SyncTokenExpired');
  assert.equal((await changes(alice)).changed.length, 1);
});

test('a malformed token or limit is refused by name', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const { next } = await changes(alice);

  for (const since of ['', 'x', `${next}x`, next.slice(1), '%00', '$ne']) {
    await expectProblem(await alice.get(`/api/tasks/changes?since=${since}`), 400, 'InvalidQuery', /^since /);
  }
  await expectProblem(await alice.get(`/api/tasks/changes?since=${next}&since=${next}`), 400, 'InvalidQuery', /since/);
  for (const limit of ['0', '101', 'ten']) {
    await expectProblem(await alice.get(`/api/tasks/changes?limit=${limit}`), 400, 'InvalidQuery', /^limit /);
  }
});

test('a write that arrives late is not missed, though a reader has read past the time that it bears', async (t) => {
  const clock = movableClock();
  const server = await startServer(t, { clock });
  const proxy = await proxyStore(t, server.uri);
  const other = await startServer(t, { clock, tenant: server.tenant, uri: proxy.uri });
  const alice = server.as('alice');
  await alice.create({ Text: 'Before' });
  const before = await changes(alice);

  proxy.stall();
  const writing = other.as('alice').create({ Text: 'Late' });
  // Long enough for the writer to have read the clock, and short of its deadline.
  await new Promise((resolve) => setTimeout(resolve, 300));
  clock.advance(1000);
  await alice.create({ Text: 'After' });
  const between = await changes(alice, before.next);
  await proxy.resume();
  const late = await writing;
  const after = await changes(alice, between.next);

  assert.deepEqual(
    between.changed.map(({ Text }) => Text),
    ['After'],
  );
  assert.deepEqual(after.changed, [late]);
});

test('with writers and readers at two instances every finished write is in the next answer, and then it is quiet', async (t) => {
  const server = await startServer(t);
  const other = await startServer(t, server);
  const instances = [server, other];
  const finished = new Map<string, string>();

  async function write(n: number): Promise<void> {
    const client = instances[n % 2]?.as('alice');
    assert.ok(client);
    const { _id } = await client.create({ Text: `Writer ${n}, 0` });
    for (let i = 1; i <= 6; i += 1) {
      await client.patch(`/api/tasks/${_id}`, { Text: `Writer ${n}, ${i}` });
      finished.set(_id, `Writer ${n}, ${i}`);
    }
    if (n % 3 === 0) {
      await client.delete(`/api/tasks/${_id}`);
      finished.set(_id, 'deleted');
    }
  }

  async function read(n: number): Promise<{ replica: Map<string, string>; next: string }> {
    const client = instances[n % 2]?.as('alice');
    assert.ok(client);
    const replica = new Map<string, string>();
    let next: string | undefined;
    for (let round = 0; round < 12; round += 1) {
      const known = new Map(finished);
      const answer = await allChanges(client, next, 3);
      for (const { _id, Text } of answer.changed) replica.set(_id, Text);
      for (const id of answer.removed) replica.set(id, 'deleted');
      next = answer.next;
      for (const [id, state] of known) assert.ok(isNoOlder(replica.get(id), state), `${id} ${state} was missed`);
    }
    return { replica, next: next ?? '' };
  }

  const [readers] = await Promise.all([
    Promise.all([0, 1, 2, 3].map(read)),
    Promise.all([0, 1, 2, 3, 4, 5].map(write)),
  ]);

  const truth = (await server.as('alice').list()).map(({ _id, Text }) => [_id, Text]);
  for (const { replica, next } of readers) {
    const last = await allChanges(server.as('alice'), next);
    for (const { _id, Text } of last.changed) replica.set(_id, Text);
    for (const id of last.removed) replica.set(id, 'deleted');
    const live = [...replica].filter(([, Text]) => Text !== 'deleted');
    assert.deepEqual(live.sort(), truth.sort());
    const quiet = await changes(server.as('alice'), last.next);
    assert.deepEqual({ ...quiet, next: '' }, { ...nothing, next: '' });
  }
});

/** States of one task are numbered, and end with `deleted`. One that was never heard of may be deleted already. */
function isNoOlder(known: string | undefined, state: string): boolean {
  if (known === undefined) return state === 'deleted';
  const rank = (text: string): number => (text === 'deleted' ? Infinity : Number(text.split(', ')[1]));
  return rank(known) >= rank(state);
}

const now = Date.parse('2026-11-24T09:00:00Z');
const token = { knownAt: now, epoch: 'abc', number: 7, id: undefined, quietUntil: 3 };

test('a token is read back as it was made', () => {
  for (const change of [{}, { id: randomId() }, { quietUntil: 0 }, { number: 0 }]) {
    const made = { ...token, ...change };

    assert.deepEqual(readSyncToken(encodeSyncToken(made), now), made);
  }
});

test('a token is good for 30 days', () => {
  const text = encodeSyncToken(token);

  assert.deepEqual(readSyncToken(text, now + 30 * DAY_MS), token);
  assert.throws(() => readSyncToken(text, now + 30 * DAY_MS + 1), SyncTokenExpiredError);
});

const good = encodeSyncToken(token);
const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const malformed = [
  ...['', 'x', 'null', good.slice(1), good.slice(0, -1), `${good}=`, `${good}A`, ` ${good}`],
  ...[json(null), json({}), json([]), json([2, now, 'abc', 7, '', 3]), json([1, now, 'abc', 7, ''])],
  ...[json([1, '1', 'abc', 7, '', 3]), json([1, now, { $ne: '' }, 7, '', 3]), json([1, now, 'abc', 7.5, '', 3])],
  ...[json([1, now, 'abc', 7, 'x', 3]), json([1, now, 'abc', 7, null, 3]), json([1, now, 'abc', 7, '', 3, 4])],
];
for (const text of malformed) {
  test(`${text.slice(0, 60) || 'nothing'} is no token`, () => {
    assert.throws(
      () => readSyncToken(text, now),
      (error) => error instanceof InvalidQueryError && error.message.startsWith('since'),
    );
  });
}
