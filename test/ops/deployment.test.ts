/** What can be said of the container without building it. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { test } from 'node:test';
import packageJson from '../../package.json' with { type: 'json' };

const ROOT = new URL('../../', import.meta.url);

test('the image has the same Node as a checkout', async () => {
  const versions = [...(await read('Dockerfile')).matchAll(/^FROM node:([\d.]+)-slim/gm)].map(([, version]) => version);

  assert.deepEqual(versions, [packageJson.dependencies.node, packageJson.dependencies.node]);
});

test('the build is sent what the image copies, and nothing else', async () => {
  const ignore = (await read('.dockerignore')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const copied = [...(await read('Dockerfile')).matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
    sources.split(' '),
  );

  assert.deepEqual(ignore.sort(), ['*', ...new Set(copied.map((source) => `!${source}`))].sort());
});

test('everything but the development tools runs on the production dependencies alone', async () => {
  const files = globSync('src/**/*.ts', { cwd: ROOT }).filter((file) => !file.startsWith('src/local/'));
  assert.ok(files.length > 50);

  for (const file of files) {
    for (const name of packagesIn(await read(file))) {
      assert.ok(name in packageJson.dependencies, `${file} needs ${name}`);
    }
  }
});

/** The packages that a module imports as it runs; types are gone by then. */
function packagesIn(source: string): string[] {
  const names = [...source.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^'.][^']*)'/gm)].map(
    ([, name = '']) => name,
  );
  return names.filter((name) => !isBuiltin(name)).map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);
}

async function read(path: string): Promise<string> {
  return await readFile(new URL(path, ROOT), 'utf8');
}
