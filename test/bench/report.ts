/** The results: as a table in Markdown, for people and the documentation, and as JSON, for comparing runs. */
import type { Results, Scenario, Turn } from './race.ts';

/** The middle of the rounds, and the range. */
export interface Spread {
  median: number;
  least: number;
  most: number;
}

export interface Row {
  lane: string;
  perSecond: Spread;
  cpuUs: Spread;
  storeCpuUs: Spread;
  p50Ms: Spread;
  p99Ms: Spread;
  /** How many times this lane's the first lane's figure is, round by round: its rate, and the CPU time that it saves. */
  rateOfFirst: Spread;
  cpuOfThis: Spread;
}

export interface Report {
  name: string;
  title: string;
  rows: Row[];
}

export function reportOf({ name, title, lanes }: Scenario, results: Results): Report {
  const first = results.get(lanes[0]) ?? [];
  const rows = lanes.map((lane): Row => {
    const turns = results.get(lane) ?? [];
    const of = (measure: keyof Turn): Spread => spread(turns.map((turn) => turn[measure]));
    const ratio = (measure: keyof Turn): number[] =>
      turns.map((turn, i) => turn[measure] / (first[i]?.[measure] ?? NaN));
    return {
      lane: lane.name,
      perSecond: of('perSecond'),
      cpuUs: of('cpuUs'),
      storeCpuUs: of('storeCpuUs'),
      p50Ms: of('p50Ms'),
      p99Ms: of('p99Ms'),
      rateOfFirst: spread(ratio('perSecond').map((part) => 1 / part)),
      cpuOfThis: spread(ratio('cpuUs')),
    };
  });
  return { name, title, rows };
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  // Of an even number of rounds there are two in the middle.
  const median = ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
  return { median, least: sorted.at(0) ?? NaN, most: sorted.at(-1) ?? NaN };
}

const HEAD = [
  '| | answers/s | p99, ms | CPU, µs an answer | store, µs | CPU, × ours | our rate, × theirs |',
  '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
];

export function markdownOf({ title, rows }: Report): string {
  return [`\n### ${title}\n`, ...HEAD, ...rows.map(line)].join('\n');
}

function line({ lane, perSecond, p99Ms, cpuUs, storeCpuUs, cpuOfThis, rateOfFirst }: Row): string {
  const cells = [
    lane,
    show(perSecond, 0),
    show(p99Ms, 1),
    show(cpuUs, 0),
    Number.isNaN(storeCpuUs.median) ? '–' : storeCpuUs.median.toFixed(0),
    show(cpuOfThis, 2),
    show(rateOfFirst, 2),
  ];
  return `| ${cells.join(' | ')} |`;
}

function show({ median, least, most }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}
