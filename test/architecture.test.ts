/** How the folders of `src` may lean on each other, read from the import lines. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { test } from 'node:test';

const SRC = join(import.meta.dirname, '../src');
/** The processes: what `npm start` and the other commands run. */
const ENTRIES = ['main.ts', 'people/cli.ts', 'tasks/restored.ts', 'doctor/main.ts', 'local/main.ts', 'local/token.ts'];

/** What every part may use; they import nothing themselves. */
const FOR_ALL = ['clock.ts', 'guid.ts', 'show.ts'];

/** Each folder, or file beside the folders, with those that it may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['server.ts', 'auth', 'database', 'ops', 'log.ts', 'config.ts', 'envFile.ts', 'stopSignal.ts'],
  'server.ts': ['tasks', 'people', 'auth', 'ops', 'database', 'http', 'log.ts', 'config.ts', 'errors.ts'],
  tasks: ['commandLine.ts', 'database', 'http', 'errors.ts'],
  people: ['commandLine.ts', 'database', 'http', 'errors.ts', 'local'],
  auth: ['http', 'log.ts', 'errors.ts', 'config.ts'],
  ops: ['auth', 'http', 'log.ts', 'errors.ts', 'config.ts'],
  database: ['envFile.ts', 'http', 'errors.ts', 'local'],
  // These two are one layer: the log line of a request is made of what http keeps with the request.
  http: ['log.ts', 'errors.ts'],
  'log.ts': ['http', 'errors.ts', 'config.ts'],
  'config.ts': [],
  'envFile.ts': ['config.ts'],
  'errors.ts': [],
  'clock.ts': [],
  'guid.ts': [],
  'show.ts': [],
  'commandLine.ts': [],
  'stopSignal.ts': [],
  local: ['commandLine.ts', 'stopSignal.ts'],
  doctor: ['commandLine.ts', 'envFile.ts', 'auth', 'config.ts', 'local'],
};

interface Import {
  /** Both relative to `src`. */
  from: string;
  to: string;
  /** Loaded only when the line is reached. */
  isDynamic: boolean;
}

test('imports point one way', () => {
  const wrong = imports().filter(({ from, to }) => {
    const [source, target] = [partOf(from), partOf(to)];
    return source !== target && !FOR_ALL.includes(target) && !MAY_IMPORT[source]?.includes(target);
  });

  assert.deepEqual(wrong, []);
});

test('what only a laptop needs is reached by its door, and loaded only when asked for', () => {
  const entering = imports().filter(({ from, to }) => partOf(from) !== 'local' && partOf(to) === 'local');

  const besidesTheDoor = entering.filter(({ to, isDynamic }) => to !== join('local', 'index.ts') || !isDynamic);

  assert.deepEqual(besidesTheDoor, []);
  assert.ok(entering.length > 0);
});

test('only entries and the development tools touch the process', () => {
  const others = sources().filter((file) => !ENTRIES.includes(file) && partOf(file) !== 'local');

  const touching = others.filter((file) => /\bprocess\.\w/.test(code(file)));

  assert.deepEqual(touching, []);
});

function imports(): Import[] {
  return sources().flatMap((from) =>
    [...code(from).matchAll(/(\bimport\()?'(\.{1,2}\/[^']+\.ts)'/g)].flatMap(([, dynamic, path = '']) => {
      const to = normalize(join(dirname(from), path));
      // What is outside of `src` (config/, package.json) imports nothing.
      return to.startsWith('..') ? [] : [{ from, to, isDynamic: dynamic !== undefined }];
    }),
  );
}

function sources(): string[] {
  const files = globSync('**/*.ts', { cwd: SRC });
  assert.ok(files.length > 100);
  return files;
}

/** The file without its comments. */
function code(file: string): string {
  return readFileSync(join(SRC, file), 'utf8').replace(/^\s*(?:\/?\*.*|\/\/.*)$/gm, '');
}

/** The folder that a file is in, or the file itself when it is beside the folders. */
function partOf(file: string): string {
  return file.split(sep)[0] ?? file;
}
