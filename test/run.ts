/**
 * `npm test`: all tests, or the files that are named. In CI (where `CI` is set) it measures as well what they reach of
 * `src`, and fails when that is less than it was.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const compiled = join(root, 'node_modules/.cache/compiled');
const FLOOR = { lines: 98, branches: 93, functions: 97 };
const MEASURED = [
  '--experimental-test-coverage',
  '--test-coverage-include=src/**',
  ...Object.entries(FLOOR).map(([what, percent]) => `--test-coverage-${what}=${percent}`),
];

const isMeasured = Boolean(process.env['CI']);
const given = process.argv.slice(2);
// Tests wait for processes, timers and disks as well.
const concurrency = Math.max(4, availableParallelism());
// Sources change, and some tests run copies of them: it would only ever grow.
rmSync(compiled, { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${concurrency}`,
    ...(isMeasured ? MEASURED : []),
    ...(given.length > 0 ? given : ['test/**/*.test.ts']),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      // Each file is a process, and most of its time went into compiling what the one before had compiled.
      NODE_COMPILE_CACHE: compiled,
      // V8 counts less exactly what it takes from there.
      ...(isMeasured && { NODE_DISABLE_COMPILE_CACHE: '1' }),
    },
  },
);
process.exitCode = status ?? 1;
