import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { b2c } from '../../src/local/tenant/authority.ts';
import { DEFAULT_USER } from '../../src/local/tenant/identity.ts';
import { loadTenantState } from '../../src/local/tenant/state.ts';
import { startTenant } from '../../src/local/tenant/tenant.ts';
import { createSigner, signAccessToken } from '../../src/local/tenant/tokens.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { startTestTenant, verifyByMetadata } from './support.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const wishes = { user: DEFAULT_USER, authority: b2c('b2c_1_signin'), scope: '', expiresIn: 3600 };

/** A folder in which a tenant has run once. */
async function usedDirectory(t: TestContext): Promise<string> {
  const directory = await temporaryDirectory(t);
  const tenant = await startTenant({ directory });
  await tenant.close();
  return directory;
}

test('a token signed before a restart verifies after it: port, key and certificate stay', async (t) => {
  const directory = await usedDirectory(t);
  const before = await readFile(join(directory, 'certificate.pem'), 'utf8');
  const state = await loadTenantState(directory);
  const token = await signAccessToken(createSigner(state), wishes);

  const client = await startTestTenant(t, directory);

  assert.equal(client.tenant.origin, `https://localhost:${state.port}`);
  assert.equal(client.tenant.certificate, before);
  await verifyByMetadata(client, token, 'b2c_1_signin');
});

test('what is kept can be read by its owner alone, and no half-written file is left', async (t) => {
  const directory = await usedDirectory(t);

  assert.deepEqual((await readdir(directory)).sort(), ['certificate.pem', 'external.json', 'tenant.json']);
  for (const file of ['certificate.pem', 'external.json', 'tenant.json']) {
    assert.equal((await stat(join(directory, file))).mode & 0o777, 0o600, file);
  }
});

test('several first uses at once end up with one state', async (t) => {
  const directory = await temporaryDirectory(t);

  const states = await Promise.all([1, 2, 3].map(() => loadTenantState(directory)));

  for (const state of states) assert.deepEqual(state, states[0]);
});

test('a certificate near its end is renewed, and the port and the signing key stay', async (t) => {
  const directory = await usedDirectory(t);
  const old = await readFile(join(directory, 'certificate.pem'), 'utf8');
  const state = await loadTenantState(directory);
  const later = Date.now() + 336 * DAY_MS;

  const tenant = await startTenant({ directory, clock: { now: () => later } });
  await tenant.close();

  assert.notEqual(tenant.certificate, old);
  assert.equal(await readFile(tenant.certificatePath, 'utf8'), tenant.certificate);
  assert.ok(new X509Certificate(tenant.certificate).validToDate.getTime() > later + 300 * DAY_MS);
  assert.deepEqual(await loadTenantState(directory), state);
});

test('a certificate far from its end is left alone', async (t) => {
  const directory = await usedDirectory(t);
  const old = await readFile(join(directory, 'certificate.pem'), 'utf8');

  const tenant = await startTenant({ directory, clock: { now: () => Date.now() + 300 * DAY_MS } });
  await tenant.close();

  assert.equal(tenant.certificate, old);
});

const damages = {
  'a torn state': ['tenant.json', (text: string) => text.slice(0, 100), /damaged, or not JSON/],
  'an empty state': ['tenant.json', () => '', /damaged, or not JSON/],
  "another program's state": ['tenant.json', () => '{"port": 3000}', /something else, or by another version/],
  'a state of no object': ['tenant.json', () => 'null', /something else, or by another version/],
  'a state without its key': ['tenant.json', (text: string) => text.replace('"RSA"', '"EC"'), /no RSA signing key/],
  'a torn External ID key': ['external.json', (text: string) => text.slice(0, 100), /damaged, or not JSON/],
  'a torn certificate': ['certificate.pem', (text: string) => text.slice(0, 100), /damaged, or not a certificate/],
} as const;
for (const [damage, [file, change, reason]] of Object.entries(damages)) {
  test(`${damage} is reported and not overwritten`, async (t) => {
    const directory = await usedDirectory(t);
    const path = join(directory, file);
    const damaged = change(await readFile(path, 'utf8'));
    await writeFile(path, damaged);

    await assert.rejects(startTenant({ directory }), (error: Error) => {
      assert.match(error.message, reason);
      assert.ok(error.message.includes(path));
      assert.match(error.message, /delete its folder/);
      return true;
    });

    assert.equal(await readFile(path, 'utf8'), damaged);
  });
}

test('a certificate of another key is reported', async (t) => {
  const directory = await usedDirectory(t);
  const other = await usedDirectory(t);
  await writeFile(join(directory, 'certificate.pem'), await readFile(join(other, 'certificate.pem')));

  await assert.rejects(startTenant({ directory }), /it belongs to another key/);
});

test('a taken port is named, with what to do', async (t) => {
  const directory = await usedDirectory(t);
  const { port } = await loadTenantState(directory);
  const squatter = createServer().listen(port, '127.0.0.1');
  await once(squatter, 'listening');
  t.after(() => squatter.close());

  await assert.rejects(startTenant({ directory }), (error: Error) => {
    assert.match(error.message, new RegExp(`port ${port} is in use: is another .npm run dev. running\\?`));
    assert.ok(error.message.includes(`delete ${directory}`));
    return true;
  });
});

for (const place of ['/dev/null', '/proc']) {
  test(`a folder that cannot be made in ${place} is named, with what to do`, async () => {
    const told = /cannot use .*tenant\.json: .*\nCorrect the permissions, or set DEV_DATA_DIR/;

    await assert.rejects(loadTenantState(join(place, 'tasks/tenant')), told);
  });
}
