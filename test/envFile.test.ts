import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { ConfigError } from '../src/config.ts';
import { loadEnvFile } from '../src/envFile.ts';
import { temporaryDirectory } from './support/directory.ts';

const NOBODY = 65_534;

test('a .env that this user may not read stops the start', async (t) => {
  await writeFile(await envFileIn(t), 'PORT=1\n', { mode: 0 });
  const isRoot = process.geteuid?.() === 0;

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

test('a .env that is a link to nothing stops the start', async (t) => {
  await symlink('not-mounted', await envFileIn(t));

  assert.throws(
    () => {
      loadEnvFile({});
    },
    new ConfigError(['.env is a link to nothing, expected a text file, or none']),
  );
});

/** The path of `.env` in a new directory, which is the working directory until the test ends. */
async function envFileIn(t: TestContext): Promise<string> {
  const directory = await temporaryDirectory(t);
  const before = process.cwd();
  t.after(() => {
    process.chdir(before);
  });
  process.chdir(directory);
  return path.join(directory, '.env');
}
