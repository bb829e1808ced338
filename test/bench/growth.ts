/** How the figures change with a hundred times as many tasks: servers on databases of their own, side by side. */
import type { Wire } from './generator.ts';
import type { Bench } from './processes.ts';
import type { Lane, Scenario } from './race.ts';
import { get, getTask, lane } from './scenarios.ts';
import { fill, newReaders, newUsers, PAGE, type Reader, type User } from './users.ts';

const SMALL = 10_000;
/** Tasks of one who never deletes any. */
const HOARD = 10_000;
const READERS = 100;
const HOARDERS = 10;

const getList = get('/api/tasks');

/** They have no tokens and no accounts. To make a million would only cost time, since nobody calls as one of them. */
function strangers(tasks: number): User[] {
  return Array.from({ length: tasks / PAGE }, (_, i) => ({ oid: `stranger-${i}`, token: '' }));
}

/** @param tasks in the large store */
export async function growth(
  bench: Bench,
  tasks: number,
  raceOne: (scenario: Scenario) => Promise<void>,
): Promise<void> {
  const small = await sized(bench, 'small', SMALL);
  const large = await sized(bench, 'large', tasks);
  const bySize = (word: (reader: Reader) => Wire): Scenario['lanes'] => [
    named(
      'ten thousand tasks in the store',
      lane(small.server, 200, () => small.readers.map((r) => word(r))),
    ),
    named(
      tasks.toLocaleString('en'),
      lane(large.server, 200, () => large.readers.map((r) => word(r))),
    ),
  ];
  await raceOne({
    name: 'growth-list',
    title: '`GET /api/tasks` as the store grows',
    lanes: bySize((r) => getList(r)),
  });
  await raceOne({
    name: 'growth-get',
    title: '`GET /api/tasks/:id` as the store grows',
    lanes: bySize((r) => getTask(r)),
  });
  await raceOne({
    name: 'growth-user',
    title: '`GET /api/tasks` as a user hoards',
    lanes: [
      named(
        '20 tasks of each user',
        lane(large.server, 200, () => large.readers.map((r) => getList(r))),
      ),
      named(
        '10,000',
        lane(large.server, 200, () => large.hoarders.map((h) => getList(h))),
      ),
    ],
  });
}

async function sized(bench: Bench, database: string, tasks: number) {
  const server = await bench.server('ours', { database });
  const db = await bench.database(database);
  const readers = await newReaders(bench.tenant, server, db, READERS);
  const hoarders = newUsers(bench.tenant, HOARDERS);
  // The first of them writes the task that is copied.
  await fill(server, db, [readers[0] as User, ...strangers(tasks)], PAGE);
  await fill(server, db, hoarders, HOARD);
  return { server, readers, hoarders };
}

function named(name: string, one: Lane): Lane {
  return { ...one, name };
}
