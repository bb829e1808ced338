/** Measures several lanes side by side, in turns, so that whatever else the machine does hits all of them. */
import type { Served, Wire } from './generator.ts';
import type { Bench, BenchServer } from './processes.ts';

/** One way of doing something. */
export interface Lane {
  name: string;
  server: BenchServer;
  /** The status that every answer must have. */
  status: number;
  /** Called before each turn, outside the measured time. As many as answers where each can be sent once only. */
  requests: (answers: number) => readonly Wire[];
  /** What one answer does, where that is more than one thing: figures are for each of them. */
  operations?: number;
}

export interface Scenario {
  /** For `--only`. */
  name: string;
  title: string;
  /** The others are compared to the first. */
  lanes: [Lane, ...Lane[]];
}

/** What a lane did in one turn, for each operation. */
export interface Turn {
  perSecond: number;
  /** Microseconds of CPU time, user and system, of all the server's threads. */
  cpuUs: number;
  /** The same of the store. */
  storeCpuUs: number;
  p50Ms: number;
  p99Ms: number;
}

export type Results = ReadonlyMap<Lane, readonly Turn[]>;

export interface RaceOptions {
  rounds: number;
  /** A turn is so many answers, however long they take: what a server spends on them says more than the clock of a busy machine. */
  answers: number;
  connections: number;
  /** A folder for a CPU profile of each lane of ours. */
  profiles: string | undefined;
  /** When no round begins any more, as `performance.now()` tells it. */
  end: number;
}

/** Turns that are not counted: for compilers and caches. */
const WARM_UP = 4;
const ATTEMPTS = 3;

export async function race(bench: Bench, { name, lanes }: Scenario, options: RaceOptions): Promise<Results> {
  const results = new Map<Lane, Turn[]>();
  for (let round = -WARM_UP; round < options.rounds; round += 1) {
    if (round > 0 && performance.now() > options.end) break;
    for (const [i, lane] of lanes.entries()) {
      const isProfiled = round === options.rounds - 1 && options.profiles !== undefined && lane.server.name === 'ours';
      if (isProfiled) await lane.server.usage({ profile: 'begin' });
      const turn = await takeUntilAnswered(bench, lane, options);
      if (isProfiled) await lane.server.usage({ profile: { file: `${options.profiles}/${name}-${i}.cpuprofile` } });
      if (round >= 0) results.set(lane, [...(results.get(lane) ?? []), turn]);
    }
  }
  return results;
}

/** A machine that has other things to do may keep the store waiting: such a turn says nothing, and is taken again. */
async function takeUntilAnswered(bench: Bench, lane: Lane, options: RaceOptions): Promise<Turn> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await take(bench, lane, options);
    } catch (error) {
      if (attempts === ATTEMPTS) throw error;
      console.error(`${String(error)}: again`);
    }
  }
}

async function take(bench: Bench, lane: Lane, options: RaceOptions): Promise<Turn> {
  const { server, operations = 1 } = lane;
  const answers = Math.ceil(options.answers / operations);
  const requests = lane.requests(answers);
  const [before, storeBefore] = [await server.usage(), await bench.storeCpuMs()];
  const connections = Math.min(options.connections, answers);
  const served = await bench.load({ port: server.port, connections, requests, answers });
  const [after, storeAfter] = [await server.usage(), await bench.storeCpuMs()];
  assertAnswered(lane, served);
  const done = served.answers * operations;
  return {
    perSecond: done / served.seconds,
    cpuUs: ((after.cpuMs - before.cpuMs) * 1000) / done,
    storeCpuUs: ((storeAfter - storeBefore) * 1000) / done,
    p50Ms: served.p50Ms,
    p99Ms: served.p99Ms,
  };
}

function assertAnswered({ name, server, status }: Lane, { statuses }: Served): void {
  const unexpected = Object.keys(statuses).filter((other) => other !== String(status));
  if (unexpected.length === 0) return;
  throw new Error(`${name} of ${server.name} was answered ${unexpected.join(', ')} instead of ${status}`);
}
