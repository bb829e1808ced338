import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyProject, startDevelopment } from './project.ts';
import { run } from './support.ts';

test('users --dev knows the people of npm run dev, while it runs and after', async (t) => {
  const project = await copyProject(t);
  const users = (...args: string[]) => run(process.execPath, ['src/people/cli.ts', '--dev', ...args], {}, project);
  const development = startDevelopment(t, project);
  const url = await development.says(/The API is ready at (\S+):/);
  const { stdout: token } = await run(process.execPath, ['src/local/token.ts', '--oid', 'alice'], {}, project);
  const hello = await fetch(`${url}/hello`, { headers: { Authorization: `Bearer ${token.trim()}` } });
  assert.equal(hello.status, 200);

  const during = await users('list');
  assert.equal(await development.end(), 0);
  const after = await users('list');

  for (const { code, stdout, stderr } of [during, after]) {
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.equal((JSON.parse(stdout) as { oid: string }).oid, 'alice');
  }
});
