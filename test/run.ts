/**
 * `npm test`: all tests, or the files that are named. In CI (where `CI` is set) it also measures how much of `src` they reach,
 * and fails when that is less than FLOOR.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const FLOOR = { lines: 98, branches: 93, functions: 97 };
const MEASURED = [
  '--experimental-test-coverage',
  '--test-coverage-include=src/**',
  ...Object.entries(FLOOR).map(([what, percent]) => `--test-coverage-${what}=${percent}`),
];
const FILES_PER_PROCESS = 4;

const isMeasured = Boolean(process.env['CI']);
const given = process.argv.slice(2);
// At least 4, since tests also wait for processes, timers and disks.
const concurrency = Math.max(4, availableParallelism());
const compiled = join(root, 'node_modules/.cache/compiled');
// Sources change, and some tests run copies of them, so the cache would only grow.
rmSync(compiled, { recursive: true, force: true });
const directory = mkdtempSync(join(tmpdir(), 'tasks-api-tests-'));
try {
  const files = given.length > 0 ? given : grouped(globSync('test/**/*.test.ts', { cwd: root }).sort());
  const { status } = spawnSync(
    process.execPath,
    ['--test', `--test-concurrency=${concurrency}`, ...(isMeasured ? MEASURED : []), ...files],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        // Without it a process spends most of its start on compiling what the one before has compiled.
        NODE_COMPILE_CACHE: compiled,
        // V8 measures code that comes from there less exactly.
        ...(isMeasured && { NODE_DISABLE_COMPILE_CACHE: '1' }),
      },
    },
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(directory, { recursive: true });
}

/** Node starts a process for each file, but loading the server takes longer than most tests: so a few of a folder share one. */
function grouped(files: string[]): string[] {
  return [...Map.groupBy(files, dirname)].flatMap(([folder, own]) =>
    Array.from({ length: Math.ceil(own.length / FILES_PER_PROCESS) }, (_, i) => {
      const group = own.slice(i * FILES_PER_PROCESS, (i + 1) * FILES_PER_PROCESS);
      const entry = join(directory, `${folder.replaceAll(/\W/g, '-')}-${i + 1}.mjs`);
      writeFileSync(entry, group.map((file) => `import '${pathToFileURL(join(root, file)).href}';\n`).join(''));
      return entry;
    }),
  );
}
