/** Runs what the README and the client guide show, in the order in which they show it, as a reader would paste it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyProject, startDevelopment } from './local/project.ts';
import { root, run } from './local/support.ts';

/** Whatever is not 2xx ends the script. Only the shell's own function can add this without a change to the examples. */
const STRICT = 'set -euo pipefail\ncurl() { command curl -sS --fail-with-body "$@"; }\n';

test('every call with curl that the documents show works as shown', async (t) => {
  const project = await copyProject(t);
  const development = startDevelopment(t, project, { THROTTLE_RATE: '0' });
  const url = await development.says(/The API is ready at (\S+):/);

  const shown = JSON.parse(blocks(await readFile(join(root, 'README.md'), 'utf8'), 'json')[0] ?? '') as object;
  const readme = await runExamples('README.md', project, url);
  const guide = await runExamples('docs/client.md', project, url);

  assert.match(readme, /"Text":"Buy milk"/);
  const created = JSON.parse(/^\{"_id".*$/m.exec(readme)?.[0] ?? '') as object;
  assert.deepEqual(Object.keys(created).sort(), Object.keys(shown).sort());
  assert.match(readme, /"completed":true/);
  assert.match(readme, /^HTTP\/1\.1 204 /m);
  assert.match(guide, /"results":\[\{"status":201,.*\{"status":200,/s);
  assert.match(guide, /"changed":\[\{.*"more":false/s);
});

/** The blocks that use curl, or define what later ones use, in one shell. */
async function runExamples(path: string, project: string, url: string): Promise<string> {
  const all = blocks(await readFile(join(root, path), 'utf8'), 'sh', 'bash');
  const examples = all.filter((block) => /\bcurl\b|^auth=/m.test(block));
  assert.ok(examples.length >= 3);
  const script = STRICT + examples.join('\n').replaceAll('http://127.0.0.1:3000', url);
  const { code, stdout, stderr } = await run('bash', ['-c', script], {}, project);
  assert.equal(code, 0, `${path}: ${stdout}${stderr}`);
  return stdout;
}

/** What stands between the fences of these languages. */
function blocks(markdown: string, ...languages: string[]): string[] {
  return [...markdown.matchAll(/^ *```(\w+)\n(.*?)^ *```$/gms)]
    .filter(([, language = '']) => languages.includes(language))
    .map(([, , text = '']) => text);
}
