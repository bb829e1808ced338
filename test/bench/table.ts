import { median, ratio, type Ratio, type Results } from './race.ts';

const WIDTHS = [24, 42, 22, 22, 14];

export function printHeading(): void {
  printRow(['', 'compared', 'answers a second', 'CPU per answer', 'answers/s']);
}

/** One line a comparison: ratios with their range over the rounds, and the first one's rate for a rough idea. */
export function printComparisons(title: string, comparisons: [string, string][], results: Results): void {
  for (const [of, to] of comparisons) {
    printRow([
      title,
      `${of} / ${to}`,
      show(ratio(results, of, to, 'answersPerSecond')),
      show(ratio(results, of, to, 'cpuMsPerAnswer')),
      Math.round(median(results, of, 'answersPerSecond')).toString(),
    ]);
  }
}

function printRow(cells: string[]): void {
  console.log(
    cells
      .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
      .join('')
      .trimEnd(),
  );
}

function show({ median, least, most }: Ratio): string {
  return `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}
