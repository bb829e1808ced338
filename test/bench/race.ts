/** Measures several lanes side by side, in turns, so that whatever else the machine does hits all of them. */
import { load, type Load } from './load.ts';
import type { BenchServer } from './processes.ts';

/** One way of doing something. */
export interface Lane {
  name: string;
  server: BenchServer;
  /** The status that every answer must have. */
  status: number;
  /** Called before each turn, outside the measured time; gives the turn's requests. */
  requests: () => Promise<Load['next']> | Load['next'];
}

/** What a lane did in one turn. */
interface Turn {
  answersPerSecond: number;
  cpuMsPerAnswer: number;
}

export type Results = ReadonlyMap<string, readonly Turn[]>;

export interface RaceOptions {
  rounds: number;
  secondsPerTurn: number;
  connections: number;
}

export async function race(lanes: readonly Lane[], options: RaceOptions): Promise<Results> {
  const results = new Map<string, Turn[]>(lanes.map(({ name }) => [name, []]));
  // The first round is for compilers and caches, and not counted.
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const lane of lanes) {
      const turn = await take(lane, options);
      if (round > 0) results.get(lane.name)?.push(turn);
    }
  }
  return results;
}

async function take({ name, server, status, requests }: Lane, options: RaceOptions): Promise<Turn> {
  const { secondsPerTurn: seconds, connections } = options;
  const next = await requests();
  const before = await server.usage();
  const served = await load({ port: server.port, connections, seconds, next });
  const after = await server.usage();
  const unexpected = [...served.statuses.keys()].filter((other) => other !== status);
  if (unexpected.length > 0) throw new Error(`${name} was answered ${unexpected.join(', ')} instead of ${status}`);
  return {
    answersPerSecond: served.answers / served.seconds,
    cpuMsPerAnswer: (after.cpuMs - before.cpuMs) / served.answers,
  };
}

/** How many times the one is the other: the median of the rounds, and the range. */
export interface Ratio {
  median: number;
  least: number;
  most: number;
}

export function ratio(results: Results, of: string, to: string, measure: keyof Turn): Ratio {
  const others = results.get(to) ?? [];
  const ratios = (results.get(of) ?? []).map((turn, i) => turn[measure] / (others[i]?.[measure] ?? NaN));
  const sorted = ratios.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.round((sorted.length - 1) * part)] ?? NaN;
  return { median: at(0.5), least: at(0), most: at(1) };
}

/** The middle of the rounds, for a rough idea: it depends on the machine. */
export function median(results: Results, of: string, measure: keyof Turn): number {
  const values = (results.get(of) ?? []).map((turn) => turn[measure]).toSorted((a, b) => a - b);
  return values[values.length >> 1] ?? NaN;
}
