/** The command as it is typed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { UsageError } from '../../src/commandLine.ts';
import { parseArguments } from '../../src/doctor/arguments.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { certificate, startTenant, type Tenant } from '../support/tenant.ts';

const MAIN = path.join(import.meta.dirname, '../../src/doctor/main.ts');

interface Run {
  tenant?: Tenant;
  args?: readonly string[];
  stdin?: string;
  /** What stands in `.env`; the tenant's variables when absent. */
  envFile?: string;
}

async function runDoctor(t: TestContext, { tenant, args = [], stdin = '', envFile }: Run) {
  const directory = await temporaryDirectory(t);
  const settings = Object.entries(tenant?.env ?? {}).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(path.join(directory, '.env'), envFile ?? settings.join(''));
  await writeFile(path.join(directory, 'ca.pem'), (await certificate()).cert);
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: directory,
    env: { NODE_EXTRA_CA_CERTS: path.join(directory, 'ca.pem'), DEV_DATA_DIR: directory },
  });
  child.stdin.end(stdin);
  const [stdout, stderr] = await Promise.all([child.stdout.toArray(), child.stderr.toArray(), once(child, 'close')]);
  return { code: child.exitCode, stdout: stdout.map(String).join(''), stderr: stderr.map(String).join('') };
}

test('a good token on the command line: exit code 0', async (t) => {
  const tenant = await startTenant(t);

  const { code, stdout, stderr } = await runDoctor(t, { tenant, args: [tenant.issueToken()] });

  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.ok(stdout.endsWith('\nThis configuration ACCEPTS this token.\n'));
});

test('a refused token on stdin: exit code 1, and what to do about it', async (t) => {
  const tenant = await startTenant(t);

  const { code, stdout } = await runDoctor(t, { tenant, stdin: `Bearer ${tenant.issueToken({ oid: undefined })}\n` });

  assert.equal(code, 1);
  assert.match(stdout, /WRONG +oid +the token has no oid claim: add Object ID to the policy's application claims/);
  assert.match(stdout, /do this: +in the portal, open the user flow's Application claims/);
});

test('no token: the configuration alone', async (t) => {
  const tenant = await startTenant(t);

  const good = await runDoctor(t, { tenant });
  tenant.break('html');
  const bad = await runDoctor(t, { tenant });

  assert.deepEqual([good.code, bad.code], [0, 1]);
  assert.match(good.stdout, /This configuration works\./);
  assert.match(bad.stdout, /WRONG +metadata +.*did not answer JSON/);
});

test('a configuration that the server would refuse: exit code 1, and every bad variable', async (t) => {
  const { code, stdout, stderr } = await runDoctor(t, { envFile: 'B2C_POLICY_NAME=susi\n', args: ['x.y.z'] });

  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /B2C_TENANT_NAME is not set/);
  assert.match(stderr, /B2C_POLICY_NAME is "susi"/);
});

test('a command line that is not understood: exit code 2, the reason and the usage', async (t) => {
  const { code, stdout, stderr } = await runDoctor(t, { args: ['one', 'two'] });

  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /^doctor: one token at a time.*\n\nUsage: npm run doctor/);
});

test('a token may be pasted as it stands in a header', () => {
  const request = { isForDevelopment: false, token: 'a.b.c' };

  for (const args of [
    ['a.b.c'],
    ['Bearer a.b.c'],
    ['Bearer', 'a.b.c'],
    ['Authorization: Bearer a.b.c'],
    [' a.b.c\n'],
  ]) {
    assert.deepEqual(parseArguments(args), request);
  }
  assert.deepEqual(parseArguments(['--dev']), { isForDevelopment: true, token: undefined });
  assert.equal(parseArguments(['--help']), 'help');
  assert.throws(() => parseArguments(['--nonsense']), UsageError);
});
