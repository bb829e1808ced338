import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import { TenantClient } from '../../src/auth/tenantClient.ts';
import { type Config, loadConfig } from '../../src/config.ts';
import { isWrong, type Line } from '../../src/doctor/page.ts';
import { renderPage, verdictOf } from '../../src/doctor/page.ts';
import { examineTenants, type TenantExamination } from '../../src/doctor/tenant.ts';
import { examineToken } from '../../src/doctor/token.ts';
import { refused, tokenOf } from '../auth/refusedTokens.ts';
import { movableClock } from '../support/clock.ts';
import { signingKey, startTenant, type Tenant } from '../support/tenant.ts';

interface Doctor {
  tenant: Tenant;
  examine: (token: string) => Promise<Line[]>;
  examineTenants: () => Promise<TenantExamination[]>;
}

async function startDoctor(t: TestContext, env: Record<string, string> = {}, clock = movableClock()): Promise<Doctor> {
  const tenant = await startTenant(t, { policies: env['B2C_POLICY_NAME']?.split(',') ?? ['b2c_1_susi'] });
  const config: Config = loadConfig({ ...tenant.env, MONGODB_URI: 'mongodb://unused.invalid/', ...env });
  const client = new TenantClient();
  t.after(() => client.close());
  const options = { config, clock, client };
  return {
    tenant,
    examineTenants: () => examineTenants(options),
    examine: async (token) => examineToken(token, { ...options, tenants: await examineTenants(options) }),
  };
}

function find(lines: readonly Line[], subject: string): Line {
  const line = lines.find((candidate) => candidate.subject === subject);
  assert.ok(line, `there is a line about ${subject}`);
  return line;
}

test('a good token passes every check', async (t) => {
  const { tenant, examine } = await startDoctor(t);

  const lines = await examine(tenant.issueToken());

  assert.ok(lines.every(({ verdict }) => verdict === 'ok'));
  assert.equal(verdictOf([], lines), 'This configuration ACCEPTS this token.');
});

test('the doctor says of every refused token what the gate says', async (t) => {
  const { tenant, examine } = await startDoctor(t);

  for (const [what, row] of Object.entries(refused)) {
    const lines = await examine(tokenOf(row, tenant));
    const wrong = lines.filter(isWrong);

    assert.ok(
      wrong.some(({ description }) => description === row[1]),
      `a token that ${what}`,
    );
    assert.ok(wrong.every(({ cure }) => cure !== undefined));
    assert.match(verdictOf([], lines), /REFUSES/);
  }
});

test('all that is wrong is shown at once', async (t) => {
  const { tenant, examine } = await startDoctor(t);
  const stranger = { ...signingKey('stranger'), kid: tenant.key.kid };

  const lines = await examine(
    tenant.issueToken({ aud: 'x', oid: undefined, iss: 'y', expiresIn: -900, key: stranger }),
  );

  assert.deepEqual(
    lines.filter(isWrong).map(({ subject }) => subject),
    ['exp', 'aud', 'oid', 'iss', 'signature'],
  );
});

test('for a token of an unknown key the doctor says which keys there are', async (t) => {
  const { tenant, examine } = await startDoctor(t);

  const lines = await examine(tenant.issueToken({ key: signingKey('stranger') }));

  const line = lines.filter(({ subject }) => subject === 'kid').find(isWrong);
  assert.equal(line?.expected, '"kid-first"');
  assert.equal(find(lines, 'signature').verdict, 'skipped');
});

test('a missing scope is noted, and the cure fits the mistake', async (t) => {
  const env = { B2C_READ_SCOPE: 'https://contoso.onmicrosoft.com/tasks/tasks.read', B2C_WRITE_SCOPE: 'tasks.admin' };
  const { tenant, examine } = await startDoctor(t, env);

  const notes = (await examine(tenant.issueToken())).filter(({ verdict }) => verdict === 'note');

  assert.deepEqual(
    notes.map(({ description, cure }) => [description, cure]),
    [
      [
        'reading is refused with 403',
        'set B2C_READ_SCOPE to the short name: tokens carry "tasks.read", not the whole URI',
      ],
      [
        'writing is refused with 403',
        'ask for tasks.admin when signing in, and grant it to the client in the portal (API permissions)',
      ],
    ],
  );
});

test('each policy is asked for its metadata, keys and time', async (t) => {
  const { tenant, examineTenants } = await startDoctor(t, { B2C_POLICY_NAME: 'b2c_1_a,b2c_1_b' });

  const examinations = await examineTenants();

  assert.deepEqual(
    examinations.map(({ section }) => section.title),
    ['Azure AD B2C (b2c_1_a)', 'Azure AD B2C (b2c_1_b)'],
  );
  for (const { section } of examinations) {
    assert.ok(section.lines.every(({ verdict }) => verdict === 'ok'));
    assert.equal(find(section.lines, 'issuer').received, JSON.stringify(tenant.issuer));
    assert.equal(find(section.lines, 'keys').received, '"kid-first"');
  }
});

for (const [seconds, received] of [
  [400, /^this machine is (399|400|401) s ahead of the tenant$/],
  [-400, /^this machine is (399|400|401) s behind the tenant$/],
] as const) {
  test(`a clock that is ${seconds} s off is found by the tenant's Date header`, async (t) => {
    const clock = movableClock(Date.now() + seconds * 1000);
    const { examineTenants } = await startDoctor(t, {}, clock);

    const [examination] = await examineTenants();

    const line = find(examination?.section.lines ?? [], 'clock');
    assert.equal(line.verdict, 'wrong');
    assert.match(line.received, received);
  });
}

test('a tenant that cannot be reached is a finding, and leaves what needs it open', async (t) => {
  const { tenant, examine, examineTenants } = await startDoctor(t);
  tenant.break('down');

  const [examination] = await examineTenants();
  const lines = await examine(tenant.issueToken());

  assert.deepEqual(
    examination?.section.lines.map(({ verdict, subject }) => [verdict, subject]),
    [['wrong', 'metadata']],
  );
  assert.deepEqual(
    lines.filter(({ verdict }) => verdict === 'skipped').map(({ subject }) => subject),
    ['iss', 'kid', 'signature'],
  );
  assert.match(verdictOf([], lines), /cannot tell \(503\)/);
});

test('a policy that the tenant does not know leads to the name of the policy', async (t) => {
  const { tenant, examineTenants } = await startDoctor(t);
  tenant.break('missing');

  const [examination] = await examineTenants();

  assert.match(String(examination?.section.lines[0]?.cure), /B2C_POLICY_NAME/);
});

test('a plain issuer without metadata at its URL leads to that URL, not to a policy', async (t) => {
  const issuer = await startTenant(t);
  issuer.break('missing');
  const env = { B2C_POLICY_NAME: '', B2C_IDENTITY_METADATA: issuer.metadataUrl() };
  const { examineTenants } = await startDoctor(t, env);

  const [examination] = await examineTenants();

  assert.equal(
    examination?.section.lines[0]?.cure,
    'check B2C_IDENTITY_METADATA: there is no OpenID metadata at this URL',
  );
});

const DAY_MS = 24 * 60 * 60 * 1000;
const certificates = {
  'has expired': ['localhost', -9, -1, /set the clock of this machine .* must renew its certificate/],
  'is not valid yet': ['localhost', 1, 9, /set the clock of this machine .* must renew its certificate/],
  'is for another name': ['another.example', -1, 9, /check the host in B2C_TENANT_NAME.*no certificate for that name/],
} as const;
for (const [fault, [name, fromDay, toDay, cure]] of Object.entries(certificates)) {
  test(`trusting another authority does not cure a certificate that ${fault}`, async (t) => {
    const made = await generate([{ name: 'commonName', value: fault }], {
      keyType: 'ec',
      algorithm: 'sha256',
      notBeforeDate: new Date(Date.now() + fromDay * DAY_MS),
      notAfterDate: new Date(Date.now() + toDay * DAY_MS),
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
    });
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), made.cert]);
    const server = createServer({ cert: made.cert, key: made.private }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { examineTenants } = await startDoctor(t, { B2C_IDENTITY_METADATA: `https://localhost:${port}/{policy}` });

    const [examination] = await examineTenants();

    assert.match(String(examination?.section.lines[0]?.cure), cure);
  });
}

test('with AUTO_REGISTER=false the doctor says whom the users command must know', async (t) => {
  const { tenant, examine } = await startDoctor(t, { AUTO_REGISTER: 'false' });

  const line = find(await examine(tenant.issueToken({ oid: 'alice' })), 'AUTO_REGISTER');

  assert.equal(line.verdict, 'note');
  assert.equal(line.received, 'false: "alice" must have been added');
});

test('the page never holds the token, and nothing that moves a cursor', async (t) => {
  const { tenant, examine } = await startDoctor(t);
  const token = tenant.issueToken({ aud: '\u001b[2J\u009b2J\u202eevil\r\n', tfp: { a: '\u0007' } });

  const page = renderPage([{ title: 'The token', lines: await examine(token) }], 'verdict', { isVerbose: true });

  for (const part of token.split('.')) assert.ok(!page.includes(part));
  assert.doesNotMatch(page.replaceAll('\n', ''), /[\p{Cc}\u202e]/u);
  assert.ok(page.includes('\\u001b[2J\\u009b2J\\u202eevil\\r\\n'));
});

test('a token that was copied with more than itself is refused as by the server: its header is malformed', async (t) => {
  const { tenant, examine } = await startDoctor(t);
  const token = tenant.issueToken();
  const copied = { [`"${token}",`]: 'a quote or a comma', [token.replace('.', '.\n')]: 'broken up' };

  for (const [text, description] of Object.entries(copied)) {
    assert.match(verdictOf([], await examine(text)), new RegExp(`REFUSES this token \\(400\\): .*${description}`));
  }
});
