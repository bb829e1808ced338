/** How the store finds what is asked for: asked of the store itself, for every filter in every order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SORTS } from '../../src/tasks/listing.ts';
import { testDatabase } from '../support/database.ts';
import { startServer } from '../support/server.ts';

interface Stage {
  stage: string;
  keyPattern?: Record<string, number>;
  inputStage?: Stage;
  inputStages?: Stage[];
}

function stagesOf(plan: Stage): Stage[] {
  return [
    plan,
    ...[plan.inputStage, ...(plan.inputStages ?? [])].filter((next) => next !== undefined).flatMap(stagesOf),
  ];
}

const FILTERS = [
  '',
  'completed=true',
  'completed=false',
  'importance=high',
  'category=Home',
  'dueAfter=2026-01-01',
  'dueBefore=2026-12-31',
  'q=milk',
];

test('every filter in every order is served by an index that leads with the owner, without sorting', async (t) => {
  const { uri } = await testDatabase(t);
  const { as, connection } = await startServer(t, {
    uri: `${uri}${uri.includes('?') ? '&' : '?'}monitorCommands=true`,
  });
  const alice = as('alice');
  for (const position of ['a', 'b', null]) await alice.create({ Text: 'Buy milk', position, categories: ['Home'] });
  const finds = new Map<string, Record<string, unknown>>();
  connection.getClient().on('commandStarted', ({ commandName, command }) => {
    if (commandName !== 'find' || command['find'] !== 'tasks') return;
    const { find, filter, sort, limit } = command as Record<string, unknown>;
    finds.set(JSON.stringify([filter, sort]), { find, filter, sort, limit });
  });
  for (const { name: sort } of SORTS) {
    for (const filter of FILTERS) {
      const first = await alice.get(`/api/tasks?limit=1&sort=${sort}&${filter}`);
      const [, next] = /^<([^>]+)>/.exec(first.headers.get('link') ?? '') ?? [];
      if (next !== undefined) assert.equal((await alice.get(`/api/tasks${next}`)).status, 200);
    }
  }
  await alice.get('/api/tasks/changes');

  const wrong: string[] = [];
  for (const [name, find] of finds) {
    const explained = await connection.db?.command({ explain: find, verbosity: 'queryPlanner' });
    const stages = stagesOf((explained?.['queryPlanner'] as { winningPlan: Stage }).winningPlan);
    const scans = stages.filter(({ keyPattern }) => keyPattern !== undefined);
    const isOwners = scans.length > 0 && scans.every(({ keyPattern }) => Object.keys(keyPattern ?? {})[0] === 'owner');
    if (!isOwners || stages.some(({ stage }) => stage === 'COLLSCAN' || stage === 'SORT')) {
      wrong.push(`${name}: ${stages.map(({ stage }) => stage).join(' ')}`);
    }
  }

  assert.ok(finds.size > (SORTS.length * FILTERS.length) / 2, `${finds.size} queries`);
  assert.deepEqual(wrong, []);
});
