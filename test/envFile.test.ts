import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { ConfigError } from '../src/config.ts';
import { loadEnvFile } from '../src/envFile.ts';
import { temporaryDirectory } from './support/directory.ts';

const NOBODY = 65_534;

test('a .env that this user may not read stops the start', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(path.join(directory, '.env'), 'PORT=1\n', { mode: 0 });
  const before = process.cwd();
  const isRoot = process.geteuid?.() === 0;
  t.after(() => {
    process.chdir(before);
  });
  process.chdir(directory);

  // Root may read everything.
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    assert.throws(
      () => {
        loadEnvFile({});
      },
      new ConfigError(['.env is not readable by this user, expected a text file, or none']),
    );
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});
