import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyProject, startDevelopment } from './project.ts';
import { run } from './support.ts';

const READY = /The API is ready at (\S+):/;

test('a changed source restarts the API, a broken one is waited for, and tasks and tokens outlive it all', async (t) => {
  const project = await copyProject(t);
  const source = join(project, 'src/guid.ts');
  const text = await readFile(source, 'utf8');
  const development = startDevelopment(t, project, { THROTTLE_RATE: '0' });
  const url = await development.says(READY);
  const { stdout: token } = await run(process.execPath, ['src/local/token.ts', '--oid', 'alice'], {}, project);
  const headers = { Authorization: `Bearer ${token.trim()}`, 'Content-Type': 'application/json' };
  const created = await fetch(`${url}/api/tasks`, { method: 'POST', headers, body: '{"Text":"Buy milk"}' });
  assert.equal(created.status, 201);
  const task: unknown = await created.json();

  await writeFile(source, 'export const broken = ;');
  await development.says(/src\/guid\.ts changed: the API restarts\./);
  await development.says(/The API ended \(exit code 1\)\. It restarts when a source file changes\./);
  await writeFile(source, text);
  await development.says(/The API is ready again at/);
  assert.deepEqual(await (await fetch(`${url}/api/tasks`, { headers })).json(), [task]);
  assert.equal(await development.end('SIGTERM'), 0);
  await assert.rejects(fetch(`${url}/healthz`));

  const next = startDevelopment(t, project);
  const nextUrl = await next.says(READY);
  assert.deepEqual(await (await fetch(`${nextUrl}/api/tasks`, { headers })).json(), [task]);
});
