import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'dotenv';
import { variables } from '../config/variables.ts';
import { ConfigError, loadConfig } from '../src/config.ts';
import { uriProblem } from '../src/database/store.ts';

const good = {
  MONGODB_URI: 'mongodb://127.0.0.1/tasklist',
  B2C_TENANT_NAME: 'contoso.onmicrosoft.com',
  B2C_POLICY_NAME: 'b2c_1_susi',
  B2C_CLIENT_ID: 'f2a76e08-93f2-4350-833c-965c02483b11',
};

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return assert.fail('the configuration was accepted');
}

test('four variables are enough, and the rest has the defaults of the table', () => {
  const config = loadConfig(good);

  assert.deepEqual(config, {
    port: 3000,
    host: undefined,
    mongodbUri: good.MONGODB_URI,
    tenantName: 'contoso.onmicrosoft.com',
    clientId: good.B2C_CLIENT_ID,
    policies: [
      {
        name: 'b2c_1_susi',
        metadataUrl:
          'https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_susi/v2.0/.well-known/openid-configuration',
      },
    ],
    audiences: [good.B2C_CLIENT_ID],
    issuers: [],
    validateIssuer: true,
    clockSkewSeconds: 300,
    readScope: undefined,
    writeScope: undefined,
    autoRegister: true,
    throttleRate: 5,
    throttleBurst: 10,
    trustProxy: 0,
    corsOrigins: ['*'],
    logLevel: 'info',
    isProduction: false,
  });
});

test('a configuration cannot change while the process runs', () => {
  assert.ok(Object.isFrozen(loadConfig(good)));
});

test('a tenant may be named without its domain', () => {
  const { policies } = loadConfig({ ...good, B2C_TENANT_NAME: 'contoso' });

  assert.equal(
    policies[0]?.metadataUrl,
    'https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_susi/v2.0/.well-known/openid-configuration',
  );
});

test('each policy has metadata of its own, in every form of the URL', () => {
  const names = { ...good, B2C_POLICY_NAME: 'B2C_1_signUp, b2c_1a_custom,b2c_1_signup' };
  const urls = (template: string): string[] =>
    loadConfig({ ...names, B2C_IDENTITY_METADATA: template }).policies.map(({ metadataUrl }) => metadataUrl);

  assert.deepEqual(urls('https://login.example.com/{policy}/v2.0/.well-known/openid-configuration'), [
    'https://login.example.com/b2c_1_signup/v2.0/.well-known/openid-configuration',
    'https://login.example.com/b2c_1a_custom/v2.0/.well-known/openid-configuration',
  ]);
  assert.deepEqual(urls('https://login.example.com/v2.0/.well-known/openid-configuration'), [
    'https://login.example.com/v2.0/.well-known/openid-configuration?p=b2c_1_signup',
    'https://login.example.com/v2.0/.well-known/openid-configuration?p=b2c_1a_custom',
  ]);
});

test('a plain OpenID issuer has no policy', () => {
  const url = 'https://contoso.ciamlogin.com/contoso/v2.0/.well-known/openid-configuration';

  const { policies } = loadConfig({ ...good, B2C_POLICY_NAME: '', B2C_IDENTITY_METADATA: url });

  assert.deepEqual(policies, [{ name: '', metadataUrl: url }]);
});

test('an empty policy without metadata is refused', () => {
  assert.match(problemsOf({ ...good, B2C_POLICY_NAME: '' }).join(), /^B2C_POLICY_NAME is not set, expected one policy/);
});

test('every problem is reported at once, with what the variable holds and what is expected', () => {
  const problems = problemsOf({
    PORT: 'http',
    B2C_CLOCK_SKEW: '-1',
    AUTO_REGISTER: 'yes',
    CORS_ORIGINS: 'example.com',
  });

  assert.deepEqual(problems, [
    'PORT is "http", expected a TCP port from 0 to 65535 (0 picks a free one)',
    'MONGODB_URI is not set, expected mongodb://…, mongodb+srv://… or embedded:<directory>',
    'B2C_TENANT_NAME is not set, expected the tenant: contoso.onmicrosoft.com or contoso',
    `B2C_POLICY_NAME is not set, expected ${variables.policyNames.expected}`,
    'B2C_CLIENT_ID is not set, expected the application (client) id of this API',
    'B2C_CLOCK_SKEW is "-1", expected a whole number of seconds from 0 to 3600',
    'AUTO_REGISTER is "yes", expected true or false',
    'CORS_ORIGINS is "example.com", expected * or origins (https://app.example.com) separated by commas',
  ]);
});

const refused = {
  HOST: ['256.1.1.1', '1.2.3', 'a b', 'a/b', 'http://a'],
  PORT: ['65536', '1.5', '-1', '0x10'],
  MONGODB_URI: ['postgres://localhost', 'embedded:', 'localhost'],
  B2C_TENANT_NAME: ['https://contoso', 'con toso', '-contoso'],
  B2C_POLICY_NAME: ['susi', 'b2c_1_', 'b2c_1_a,,b2c_1_b', 'b2c_2_a'],
  B2C_CLIENT_ID: ['two words'],
  B2C_AUDIENCE: ['a,,b', 'a b'],
  B2C_IDENTITY_METADATA: ['http://login.example.com/metadata', 'login.example.com', 'https://me:secret@example.com/'],
  B2C_VALIDATE_ISSUER: ['no', '1'],
  B2C_CLOCK_SKEW: ['3601', '1.5', 'five'],
  B2C_READ_SCOPE: ['tasks.read tasks.write', 'a"b'],
  THROTTLE_RATE: ['-1', 'fast', '1e3'],
  THROTTLE_BURST: ['0', '2.5'],
  TRUST_PROXY: ['yes', '-1', '11', '1.5'],
  CORS_ORIGINS: ['https://app.example.com/', 'app.example.com'],
  LOG_LEVEL: ['verbose'],
};
for (const [name, values] of Object.entries(refused)) {
  test(`${name} is refused when it is malformed`, () => {
    for (const value of values) {
      const problems = problemsOf({ ...good, [name]: value });
      assert.equal(problems.length, 1, `${value}: ${problems.join('; ')}`);
      assert.match(problems[0] ?? '', new RegExp(`^${name} is .+, expected .+`));
    }
  });
}

test('the password in a bad MONGODB_URI is not shown', () => {
  const problems = problemsOf({ ...good, MONGODB_URI: 'mongo://admin:hunter2@db.example.com' });

  assert.deepEqual(problems, [
    'MONGODB_URI is not of that form, expected mongodb://…, mongodb+srv://… or embedded:<directory>',
  ]);
});

test('what the driver finds wrong with a URI is told with everything else', () => {
  const env = { ...good, PORT: 'x', MONGODB_URI: 'mongodb://u:hunter2@h:99999/' };

  assert.throws(
    () => loadConfig(env, uriProblem),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.problems.length, 2);
      assert.match(error.problems[1] ?? '', /^MONGODB_URI is not usable \(.+\), expected mongodb:/);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    },
  );
  for (const uri of ['mongodb://h/?foo=1', 'mongodb://h/?tls=maybe', 'mongodb://h/?j=false']) {
    assert.throws(() => loadConfig({ ...good, MONGODB_URI: uri }, uriProblem), /MONGODB_URI is not usable/, uri);
  }
  assert.doesNotThrow(() => loadConfig(good, uriProblem));
});

test('the password in a bad metadata URL is not shown', () => {
  const problems = problemsOf({ ...good, B2C_IDENTITY_METADATA: 'https://me:hunter2@example.com/' });

  assert.match(problems.join(), /^B2C_IDENTITY_METADATA is "https:\/\/…@example.com\/", expected/);
});

test('a metadata URL with a place for the policy needs a policy', () => {
  const env = { ...good, B2C_POLICY_NAME: '', B2C_IDENTITY_METADATA: 'https://example.com/{policy}/metadata' };

  assert.match(problemsOf(env).join(), /^B2C_POLICY_NAME is "", expected/);
});

test('HOST may be an address of either family, or a name', () => {
  for (const host of ['127.0.0.1', '::', '::1', 'fe80::1', 'localhost', 'api.example.com', 'ip6-localhost']) {
    assert.equal(loadConfig({ ...good, HOST: host }).host, host);
  }
});

test('TRUST_PROXY counts proxies; true is one', () => {
  const counted = (value: string): number => loadConfig({ ...good, TRUST_PROXY: value }).trustProxy;

  assert.deepEqual(['true', 'false', '0', '1', '2', '10', ''].map(counted), [1, 0, 0, 1, 2, 10, 0]);
});

test('production refuses to leave the issuer unchecked', () => {
  const env = { ...good, B2C_VALIDATE_ISSUER: 'false' };

  assert.equal(loadConfig(env).validateIssuer, false);
  assert.match(problemsOf({ ...env, NODE_ENV: 'production' }).join(), /^B2C_VALIDATE_ISSUER is "false"/);
});

test('.env.example lists every variable, with its default', async () => {
  const text = await readFile(new URL('../.env.example', import.meta.url), 'utf8');
  const listed = new Map(
    [...text.matchAll(/^(# )?([A-Z0-9_]+)=(\S*)/gm)].map(([, off, name, value]) => [name, { off, value }]),
  );

  assert.deepEqual(
    [...listed.keys()].sort(),
    Object.values(variables)
      .map(({ name }) => name)
      .sort(),
  );
  for (const variable of Object.values(variables)) {
    const { off, value } = listed.get(variable.name) ?? {};
    assert.equal(off === undefined, !('default' in variable), `${variable.name}: only what is required is filled in`);
    if ('default' in variable) assert.equal(value, variable.default, variable.name);
  }
  assert.doesNotThrow(() => loadConfig(parse(text)));
});
