/**
 * `npm run bench`: this server and what one would pick instead, side by side in one run. Prints Markdown.
 *
 *   --quick            about a minute instead of twenty
 *   --only list,get    only these (see scenarios.ts; growth and soak are by themselves)
 *   --servers ours     only these (ours, fastify, express, tutorial, node)
 *   --rounds, --answers, --connections   turns that count, the answers in one, and who asks at the same time
 *   --tasks            in the large store of growth; a million takes a while to fill
 *   --minutes          no scenario and no round begins after that
 *   --json <file>      the figures, for comparing runs
 *   --profiles <dir>   a CPU profile of this server in each scenario, to open in a browser's developer tools
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { growth } from './growth.ts';
import { Bench } from './processes.ts';
import { race, type RaceOptions, type Scenario } from './race.ts';
import { markdownOf, type Report, reportOf } from './report.ts';
import { openStage, scenarios } from './scenarios.ts';
import { describeSoak, soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    servers: { type: 'string' },
    rounds: { type: 'string' },
    answers: { type: 'string' },
    connections: { type: 'string', default: '50' },
    tasks: { type: 'string', default: '1000000' },
    minutes: { type: 'string' },
    json: { type: 'string' },
    profiles: { type: 'string' },
  },
});
const { quick, only, json } = values;
const options: RaceOptions = {
  rounds: Number(values.rounds ?? (quick ? 3 : 7)),
  answers: Number(values.answers ?? (quick ? 400 : 2000)),
  connections: Number(values.connections),
  profiles: values.profiles === undefined ? undefined : path.resolve(values.profiles),
  end: performance.now() + Number(values.minutes ?? (quick ? 1.5 : 30)) * 60_000,
};
const reports: Report[] = [];

if (options.profiles !== undefined) await mkdir(options.profiles, { recursive: true });
const bench = new Bench();
try {
  await bench.open();
  console.log(
    `${cpus()[0]?.model ?? ''}, ${cpus().length} cores; Node ${process.version}; ${new Date().toISOString()}`,
  );
  console.log(`${options.connections} connections, ${options.rounds} rounds of ${options.answers} answers`);
  await raceAll();
  if (isWanted('growth', !quick)) await growth(bench, Number(values.tasks), raceOne);
  if (isWanted('soak', !quick)) console.log(describeSoak(await soak(bench, 150)));
} finally {
  await bench.close();
}
function isWanted(name: string, byDefault = true): boolean {
  const isInTime = performance.now() < options.end;
  const isChosen = only === undefined ? byDefault : only.split(',').includes(name);
  if (isChosen && !isInTime) console.log(`\n${name}: no time left (--minutes)`);
  return isChosen && isInTime;
}

async function raceAll(): Promise<void> {
  if (only === 'growth' || only === 'soak') return;
  const stage = await openStage(bench);
  for (const [name, make] of Object.entries(scenarios)) {
    if (isWanted(name)) await raceOne({ name, ...(await make(stage)) });
  }
}

async function raceOne({ lanes: all, ...rest }: Scenario): Promise<void> {
  const [first, ...others] = all;
  const chosen = others.filter(({ server }) => values.servers?.split(',').includes(server.name) ?? true);
  const scenario: Scenario = { ...rest, lanes: [first, ...chosen] };
  const report = reportOf(scenario, await race(bench, scenario, options));
  reports.push(report);
  if (json !== undefined) await writeFile(json, JSON.stringify({ options, reports }, null, 1));
  console.log(markdownOf(report));
}
