/**
 * `npm run bench`: ratios, measured side by side in one run. Options: `--only peers|create|changes|tokens|soak`,
 * `--rounds <n>`, `--soak <seconds>` (0: none). What is compared takes turns; of the rounds the median counts.
 */
import { parseArgs } from 'node:util';
import { Bench } from './processes.ts';
import { race, type RaceOptions } from './race.ts';
import { scenarios, type Scenario, type Servers } from './scenarios.ts';
import { growth, soak } from './soak.ts';
import { printComparisons, printHeading } from './table.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    soak: { type: 'string', default: '20' },
  },
});
const options: RaceOptions = { rounds: Number(values.rounds), secondsPerTurn: 1, connections: 16 };
const isWanted = (name: string): boolean => values.only === undefined || values.only === name;

const bench = new Bench();
try {
  await bench.open();
  await raceAll();
  if (isWanted('soak') && Number(values.soak) > 0) await soakFor(Number(values.soak));
} finally {
  await bench.close();
}

async function raceAll(): Promise<void> {
  const wanted = Object.entries(scenarios).filter(([name]) => isWanted(name));
  if (wanted.length === 0) return;
  const servers: Servers = {
    ours: await bench.ours(),
    tutorial: await bench.peer('tutorial'),
    fastify: await bench.peer('fastify'),
  };
  printHeading();
  for (const [, make] of wanted) {
    for (const scenario of await make(bench, servers)) await raceOne(scenario);
  }
}

async function raceOne({ title, lanes, comparisons }: Scenario): Promise<void> {
  printComparisons(title, comparisons, await race(lanes, options));
}

async function soakFor(seconds: number): Promise<void> {
  const result = await soak(bench, seconds);
  const statuses = [...result.statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  console.log(`\nSoak of ${seconds} s: ${result.answers} answers (${statuses.join(', ')}), ${result.aborted} aborted`);
  for (const measure of ['heapBytes', 'rssBytes'] as const) {
    const megabytes = Math.round((result.samples.at(-1)?.[measure] ?? 0) / 1e6);
    console.log(
      `  ${measure}, last quarter / first: ${growth(result, measure).toFixed(2)} (${megabytes} MB at the end)`,
    );
  }
}
