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
import { bareEnv } from '../support/process.ts';
import { certificate, startTenant, type Tenant } from '../support/tenant.ts';

const MAIN = path.join(import.meta.dirname, '../../src/doctor/main.ts');

interface Run {
  tenant?: Tenant;
  args?: readonly string[];
  stdin?: string;
  /** What stands in `.env`; the tenant's variables when absent. */
  envFile?: string | Buffer;
}

async function runDoctor(t: TestContext, { tenant, args = [], stdin = '', envFile }: Run) {
  const directory = await temporaryDirectory(t);
  const settings = Object.entries(tenant?.env ?? {}).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(path.join(directory, '.env'), envFile ?? settings.join(''));
  await writeFile(path.join(directory, 'ca.pem'), (await certificate()).cert);
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: directory,
    env: { ...bareEnv, NODE_EXTRA_CA_CERTS: path.join(directory, 'ca.pem'), DEV_DATA_DIR: directory },
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
  assert.equal(stdout, 'This configuration ACCEPTS this token.\n\nTo see every check: --verbose\n');
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
  assert.match(bad.stdout, /WRONG +metadata +.*did not answer with JSON/);
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
  assert.match(stderr, /^doctor: only one token.*\n\nUsage: npm run doctor/);
});

test('a token may be pasted as it stands in a header', () => {
  const request = { isForDevelopment: false, isVerbose: false, token: 'a.b.c' };

  for (const args of [
    ['a.b.c'],
    ['Bearer a.b.c'],
    ['Bearer', 'a.b.c'],
    ['Authorization: Bearer a.b.c'],
    [' a.b.c\n'],
  ]) {
    assert.deepEqual(parseArguments(args), request);
  }
  assert.deepEqual(parseArguments(['--dev']), {
    isForDevelopment: true,
    isVerbose: false,
    token: undefined,
  });
  assert.equal(parseArguments(['--help']), 'help');
  assert.throws(() => parseArguments(['--nonsense']), UsageError);
});

test('the verdict comes first, and every check only when asked for', async (t) => {
  const tenant = await startTenant(t);
  const expired = tenant.issueToken({ expiresIn: -7_500 });

  const short = await runDoctor(t, { tenant, stdin: expired });
  const long = await runDoctor(t, { tenant, args: ['--verbose'], stdin: expired });

  for (const { code, stdout } of [short, long]) {
    assert.equal(code, 1);
    assert.match(stdout, /^This configuration REFUSES this token \(401\): the token has expired\.\n/);
    // It also says since when.
    assert.match(stdout, /received: {2}20\S+Z, 2 h 5 min ago\n/);
  }
  assert.doesNotMatch(short.stdout, /^ {2}ok /m);
  assert.match(long.stdout, /^ {2}ok +aud /m);
  assert.match(long.stdout, /^Azure AD B2C \(b2c_1_susi\)$/m);
});

test('of a token that was pasted with a line break in it the doctor says just that', async (t) => {
  const tenant = await startTenant(t);
  const token = tenant.issueToken();

  const { code, stdout } = await runDoctor(t, { tenant, stdin: `${token.slice(0, 80)}\n  ${token.slice(80)}\n` });

  assert.equal(code, 1);
  assert.match(stdout, /^This configuration REFUSES this token \(400\): the token is broken up/);
  assert.match(stdout, /received: {2}a line break in the middle\n/);
});

test('of two tenants, the doctor says which one judged, and whose tasks the token opens', async (t) => {
  const [b2c, externalId] = [await startTenant(t), await startTenant(t, { kind: 'external-id' })];
  const env = { ...b2c.env, ...externalId.env, EXTERNAL_ID_OWNER_CLAIM: 'old_id' };
  const envFile = Object.entries(env)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
  const tokenOf = (claims: object): string => externalId.issueToken({ oid: 'new-id', ...claims });

  const ofB2c = await runDoctor(t, { envFile, stdin: b2c.issueToken({ old_id: 'mallory' }) });
  const moved = await runDoctor(t, { envFile, stdin: tokenOf({ old_id: 'alice' }) });
  const unmoved = await runDoctor(t, { envFile, stdin: tokenOf({}) });
  const mixed = await runDoctor(t, { envFile, stdin: tokenOf({ aud: b2c.clientId }) });

  assert.deepEqual([ofB2c.code, moved.code, unmoved.code, mixed.code], [0, 0, 0, 1]);
  assert.match(ofB2c.stdout, /judged by +Azure AD B2C, chosen by iss/);
  assert.match(moved.stdout, /judged by +Microsoft Entra External ID, chosen by iss/);
  assert.match(moved.stdout, /owner +"alice", from "old_id"/);
  assert.match(unmoved.stdout, /owner +"new-id", from oid: the token has no "old_id"/);
  assert.match(mixed.stdout, /expected: {2}00001111-aaaa-4222-bbbb-3333cccc4444\n/);
  assert.match(mixed.stdout, /EXTERNAL_ID_CLIENT_ID/);
});

test('one policy that does not work is named, beside those that do', async (t) => {
  const tenant = await startTenant(t, { policies: ['b2c_1_a', 'b2c_1_old'] });
  tenant.editMetadata = (document, policy) => (policy === 'b2c_1_old' ? null : document);

  const { code, stdout } = await runDoctor(t, { tenant });

  assert.equal(code, 1);
  assert.match(stdout, /^This configuration works, but not for: Azure AD B2C \(b2c_1_old\)\.\n/);
});

test('a .env that cannot be read is exit code 1, as for the server', async (t) => {
  const { code, stderr } = await runDoctor(t, { envFile: Buffer.from('B2C_CLIENT_ID=a\n', 'utf16le') });

  assert.equal(code, 1);
  assert.match(stderr, /\.env is not UTF-8/);
});
