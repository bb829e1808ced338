import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { DEFAULT_USER, userNamed } from '../../src/local/tenant/identity.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { type Outcome, run, startTestTenant, verifyByMetadata } from './support.ts';

function token(directory: string, ...args: string[]): Promise<Outcome> {
  return run(process.execPath, ['src/local/token.ts', ...args], { DEV_DATA_DIR: directory });
}

test('the token stands alone on stdout and verifies at the tenant that starts later', async (t) => {
  const directory = await temporaryDirectory(t);

  const { code, stdout, stderr } = await token(directory);

  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const client = await startTestTenant(t, join(directory, 'tenant'));
  const { payload } = await verifyByMetadata(client, stdout.trim(), 'b2c_1_signupsignin');
  assert.equal(payload['oid'], DEFAULT_USER.oid);
  assert.equal(payload['name'], 'Dev User');
  assert.equal(payload['scp'], 'tasks.read tasks.write');
  assert.equal(Number(payload.exp) - Number(payload.iat), 3600);
});

test('every option shows in the claims', async (t) => {
  const directory = await temporaryDirectory(t);

  const made = await token(
    directory,
    ...['--oid', 'ålice €', '--name', 'Alice "A" Liddell', '--scope', ' read  write '],
    ...['--policy', 'B2C_1A_custom', '--expires-in', '60'],
  );

  const claims = decodeJwt(made.stdout.trim());
  assert.equal(claims['oid'], 'ålice €');
  assert.equal(claims.sub, 'ålice €');
  assert.equal(claims['name'], 'Alice "A" Liddell');
  assert.equal(claims['scp'], 'read write');
  assert.equal(claims['tfp'], 'B2C_1A_custom');
  assert.equal(Number(claims.exp) - Number(claims.iat), 60);
});

test('a name alone is the user of the sign-in page; an object id alone is its own name; no scope, no scp', async (t) => {
  const directory = await temporaryDirectory(t);

  const [byName, byId] = await Promise.all([
    token(directory, '--name', 'Bob'),
    token(directory, '--oid=alice', '--scope='),
  ]);

  assert.equal(decodeJwt(byName.stdout.trim())['oid'], userNamed('Bob').oid);
  const alice = decodeJwt(byId.stdout.trim());
  assert.deepEqual([alice['oid'], alice['name'], alice['scp']], ['alice', 'alice', undefined]);
});

test('an expired token can be had, and is backdated', async (t) => {
  const { stdout } = await token(await temporaryDirectory(t), '--expires-in', '-60');

  const { exp, iat, nbf } = decodeJwt(stdout.trim());
  assert.ok(Number(exp) < Date.now() / 1000);
  assert.equal(Number(exp) - Number(iat), 3600);
  assert.equal(nbf, iat);
});

const mistakes = {
  'an unknown option': [['--user', 'alice'], /Unknown option '--user'/],
  'a stray argument': [['alice'], /Unexpected argument 'alice'/],
  'an option without its value': [['--oid'], /--oid/],
  'an empty oid': [['--oid', ' '], /--oid must not be empty/],
  'an empty name': [['--name', ''], /--name must not be empty/],
  'an empty policy': [['--policy', ''], /--policy must not be empty/],
  'a lifetime in words': [['--expires-in', '1h'], /--expires-in is "1h", expected a whole number of seconds/],
  'a lifetime beyond all dates': [['--expires-in', '999999999999'], /expected a whole number/],
} as const;
for (const [mistake, [args, message]] of Object.entries(mistakes)) {
  test(`${mistake} is reported with the usage, and nothing is printed on stdout`, async (t) => {
    const { code, stdout, stderr } = await token(await temporaryDirectory(t), ...args);

    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    assert.match(stderr, message);
    assert.match(stderr, /Usage: npm run -s token -- \[options\]/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });
}

test('--help explains and leaves stdout to tokens', async (t) => {
  const { code, stdout, stderr } = await token(await temporaryDirectory(t), '--help');

  assert.deepEqual({ code, stdout }, { code: 0, stdout: '' });
  for (const option of ['--oid', '--name', '--scope', '--policy', '--expires-in']) assert.ok(stderr.includes(option));
});

test('a data directory that cannot be used is reported without a stack', async () => {
  const { code, stdout, stderr } = await token('/dev/null');

  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
  assert.match(stderr, /^The development tenant cannot use \/dev\/null\/tenant/);
  assert.doesNotMatch(stderr, /\n\s+at /);
});

test('the default user never changes: the tasks of last year are still theirs', () => {
  assert.equal(DEFAULT_USER.oid, 'd116341d-bca3-5977-8b63-9e9ca0f363fd');
});
