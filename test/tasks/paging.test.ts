import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import mongoose from 'mongoose';
import { type Client, expectProblem, type TaskJson } from '../support/client.ts';
import { startServer } from '../support/server.ts';

/** The next page's query, as the server wrote it. */
function nextOf(response: Response): string | undefined {
  const link = response.headers.get('link');
  if (link === null) return undefined;
  const [, reference] = /^<([^>]+)>; rel="next"$/.exec(link) ?? [];
  assert.ok(reference, link);
  return new URL(reference, response.url).search;
}

/** All pages, with something done between them. */
async function follow(client: Client, query: string, meanwhile: () => Promise<unknown> = async () => undefined) {
  const pages: TaskJson[][] = [];
  for (let next: string | undefined = query; next !== undefined && pages.length < 60;) {
    const response: Response = await client.get(`/api/tasks${next}`);
    assert.equal(response.status, 200, await response.clone().text());
    pages.push((await response.json()) as TaskJson[]);
    next = nextOf(response);
    await meanwhile();
  }
  return pages;
}

const day = (n: number): Date => new Date(Date.UTC(2026, 0, 1 + n));

test('pages are as long as asked, and the last one has no Link', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  for (let i = 0; i < 6; i += 1) await alice.create({ Text: `Task ${i}`, date: day(i) });

  const pages = await follow(alice, '?limit=2&sort=-date');

  assert.deepEqual(
    pages.map((page) => page.map(({ Text }) => Text)),
    [
      ['Task 5', 'Task 4'],
      ['Task 3', 'Task 2'],
      ['Task 1', 'Task 0'],
    ],
  );
});

test('the Link keeps what was asked for', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  for (let i = 0; i < 3; i += 1) await alice.create({ Text: `Crème & Co ${i}`, completed: true });

  const response = await alice.get('/api/tasks/me/?limit=1&completed=true&q=cr%C3%A8me%20%26&sort=createdAt');

  const { cursor, ...rest } = Object.fromEntries(new URLSearchParams(nextOf(response)));
  assert.ok(cursor);
  assert.deepEqual(rest, { limit: '1', completed: 'true', q: 'crème &', sort: 'createdAt' });
});

test('a list can be narrowed', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  await alice.create({ Text: 'Buy milk (1.5%)', date: day(1), completed: true });
  await alice.create({ Text: 'Buy BREAD', date: day(2) });
  await alice.create({ Text: 'Öl kaufen', date: day(3) });
  const texts = async (query: string): Promise<string[]> => (await alice.list(query)).map(({ Text }) => Text);

  assert.deepEqual(await texts('?completed=true'), ['Buy milk (1.5%)']);
  assert.deepEqual(await texts('?completed=false'), ['Buy BREAD', 'Öl kaufen']);
  assert.deepEqual(await texts('?dueAfter=2026-01-03'), ['Buy BREAD', 'Öl kaufen']);
  assert.deepEqual(await texts('?dueBefore=2026-01-03T00:00:00Z'), ['Buy milk (1.5%)']);
  assert.deepEqual(await texts('?dueAfter=2026-01-03&dueBefore=2026-01-04'), ['Buy BREAD']);
  assert.deepEqual(await texts('?q=buy'), ['Buy milk (1.5%)', 'Buy BREAD']);
  assert.deepEqual(await texts('?q=%C3%B6L'), ['Öl kaufen']);
  assert.deepEqual(await texts('?q=(1.5%25)'), ['Buy milk (1.5%)']);
  for (const nothing of ['b.y', '^Buy', '.*', '%5CS', '%00', '((', '[', '$ne']) {
    assert.deepEqual(await texts(`?q=${nothing}`), [], nothing);
  }
  // The first clients' own path ignores what it does not know.
  assert.equal(((await (await alice.get('/tasks?unknown=1&Text=x')).json()) as unknown[]).length, 3);
});

test('a list can be narrowed by importance and category', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  await alice.create({ Text: 'plain' });
  await alice.create({ Text: 'high', importance: 'high', categories: ['Home', 'Garden'] });
  await alice.create({ Text: 'low', importance: 'low', categories: ['Home'] });
  const texts = async (query: string): Promise<string[]> => (await alice.list(query)).map(({ Text }) => Text);

  assert.deepEqual(await texts('?importance=normal'), ['plain']);
  assert.deepEqual(await texts('?importance=high'), ['high']);
  assert.deepEqual(await texts('?category=Home'), ['high', 'low']);
  assert.deepEqual(await texts('?category=home'), []);
  assert.deepEqual(await texts('?category=Home&importance=low'), ['low']);
});

test('a search by due date does not find a task without one', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  await alice.create({ Text: 'never' });
  await alice.create({ Text: 'day', due: '2026-01-02' });

  assert.deepEqual(
    (await alice.list('?dueAfter=0001-01-01&dueBefore=9999-12-31')).map(({ Text }) => Text),
    ['day'],
  );
});

test('text and notes are searched, in any case and normalization form', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  await alice.create({ Text: 'Call Zoë' });
  await alice.create({ Text: 'Call back', notes: 'ask ZOE\u0308 first' });
  await alice.create({ Text: 'Call Zoe' });
  const found = await alice.list(`?q=${encodeURIComponent('zoë')}`);

  assert.deepEqual(
    found.map(({ Text }) => Text),
    ['Call Zoë', 'Call back'],
  );
});

test('a search goes on where the last request stopped looking', async (t) => {
  const { as, connection } = await startServer(t);
  const alice = as('alice');
  const date = (i: number): Date => new Date(Date.UTC(2026, 0, 1) + i);
  await connection.collection('tasks').insertMany(
    Array.from({ length: 5_300 }, (_, i) => ({
      owner: 'alice',
      Text: i === 5_250 ? 'needle' : 'hay',
      date: date(i),
    })),
  );

  const first = await alice.get('/api/tasks?q=needle');
  const second = await alice.get(`/api/tasks${nextOf(first)}`);

  assert.deepEqual(await first.json(), []);
  assert.deepEqual(
    ((await second.json()) as TaskJson[]).map(({ Text }) => Text),
    ['needle'],
  );
  assert.equal(second.headers.get('link'), null);
});

test('tasks ordered by hand are paged while positions change, those without one last', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  for (const [Text, position] of [
    ['b', 'b'],
    ['none', null],
    ['a', 'a'],
    ['B', 'B'],
    ['ab', 'a~'],
    ['none', ''],
  ] as const) {
    await alice.create({ Text, position });
  }

  for (const [sort, expected] of [
    ['position', ['B', 'a', 'ab', 'b', 'none', 'none']],
    ['-position', ['b', 'ab', 'a', 'B', 'none', 'none']],
  ] as const) {
    for (const limit of [1, 2, 5, 20]) {
      const texts: string[] = [];
      for (let path: string | null = `/api/tasks?sort=${sort}&limit=${limit}`; path !== null;) {
        const response: Response = await alice.get(path);
        texts.push(...((await response.json()) as TaskJson[]).map(({ Text }) => Text));
        path = response.headers.has('link') ? `/api/tasks${nextOf(response)}` : null;
      }
      assert.deepEqual(texts, expected, `${sort} by ${limit}`);
    }
  }
  const first = await alice.get('/api/tasks?sort=position&limit=2');
  const [B] = (await first.clone().json()) as TaskJson[];
  await alice.patch(`/api/tasks/${B?._id ?? ''}`, { position: 'z' });
  const rest = (await (
    await alice.get(`/api/tasks${nextOf(first)}&limit=20`.replace('limit=2&', ''))
  ).json()) as TaskJson[];
  assert.deepEqual(
    rest.map(({ Text }) => Text),
    ['ab', 'b', 'B', 'none', 'none'],
  );
});

test('a list has another tag when the next page appears', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  for (let i = 0; i < 20; i += 1) await alice.create({ Text: `Task ${i}`, date: day(1) });
  const tag = (await alice.get('/api/tasks')).headers.get('etag') ?? '';
  await alice.create({ Text: 'Task 21', date: day(2) });

  const again = await alice.get('/api/tasks', { 'If-None-Match': tag });

  assert.equal(again.status, 200);
  assert.ok(again.headers.has('link'));
  assert.equal((await alice.get('/api/tasks', { 'If-Match': tag })).status, 412);
});

test('a bad or repeated parameter is refused by name', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const bad = [
    'limit=0',
    'sort=owner',
    'completed=1',
    'dueAfter=soon',
    'dueBefore=2026-02-30',
    'cursor=x',
    'q=%FF',
    'q=100%',
    'q=%4z',
    'q=',
    'colour=red',
  ];
  const repeated = ['limit=5&limit=5', 'q=a&q=b', 'cursor=a&cursor=a'];

  for (const query of [...bad, ...repeated]) {
    const name = query.slice(0, query.indexOf('='));
    await expectProblem(await alice.get(`/api/tasks?${query}`), 400, 'InvalidQuery', new RegExp(`^${name} `));
  }
});

test('a cursor belongs to its order', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  for (let i = 0; i < 2; i += 1) await alice.create({ Text: `Task ${i}` });
  const cursor = new URLSearchParams(nextOf(await alice.get('/api/tasks?limit=1&sort=-date'))).get('cursor') ?? '';

  await expectProblem(
    await alice.get(`/api/tasks?cursor=${cursor}`),
    400,
    'InvalidQuery',
    'cursor belongs to sort=-date',
  );
});

const field = fc.constantFrom('date', 'createdAt', 'updatedAt');
const scenario = fc.record({
  sort: fc.tuple(fc.constantFrom('', '-'), field).map(([sign, name]) => sign + name),
  limit: fc.integer({ min: 1, max: 4 }),
  // Few days, so that many tasks share one; some of the tutorial's tasks lack the sort field altogether.
  days: fc.array(fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined, freq: 4 }), { maxLength: 12 }),
  comings: fc.array(fc.integer({ min: -1, max: 4 }), { maxLength: 8 }),
  goings: fc.array(fc.nat({ max: 11 }), { maxLength: 4 }),
});

test('paging neither skips nor repeats a task that stays put while others come and go', async (t) => {
  const { as, connection } = await startServer(t);
  const tasks = connection.collection('tasks');
  let users = 0;

  await fc.assert(
    fc.asyncProperty(scenario, async ({ sort, limit, days, comings, goings }) => {
      const owner = `user-${(users += 1)}`;
      const fieldName = sort.replace('-', '');
      const make = (n: number | undefined) => ({
        _id: new mongoose.Types.ObjectId(),
        owner,
        Text: 'Task',
        ...(n !== undefined && { [fieldName]: day(n) }),
      });
      const stored = days.map(make);
      if (stored.length > 0) await tasks.insertMany(stored);
      const left = new Set(stored.map(({ _id }) => _id.toHexString()));
      const arrivals = [...comings];
      const departures = [...goings];

      const pages = await follow(as(owner), `?limit=${limit}&sort=${sort}`, async () => {
        const coming = arrivals.pop();
        if (coming !== undefined) await tasks.insertOne(make(coming));
        const going = stored[departures.pop() ?? -1];
        if (going === undefined) return;
        left.delete(going._id.toHexString());
        await tasks.updateOne({ _id: going._id }, { $set: { deletedAt: new Date() } });
      });

      const seen = pages.flat().map(({ _id }) => _id);
      assert.equal(new Set(seen).size, seen.length, 'a task was repeated');
      for (const id of left) assert.ok(seen.includes(id), 'a task was skipped');
      for (const page of pages) assert.ok(page.length <= limit);
    }),
    { numRuns: 30 },
  );
});

test('a page is in order, and ties are broken by the id', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  for (const n of [2, 1, 2, 1, 3]) await alice.create({ Text: 'Task', date: day(n) });

  const ascending = await alice.list('?sort=date');
  const descending = await alice.list('?sort=-date');

  const keys = ascending.map(({ date, _id }) => date + _id);
  assert.deepEqual(keys, [...keys].sort());
  assert.deepEqual(descending, [...ascending].reverse());
});
