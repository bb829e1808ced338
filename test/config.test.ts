import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'dotenv';
import { b2cVariables, variables } from '../config/variables.ts';
import { ConfigError, loadConfig, type Tenant } from '../src/config.ts';
import { uriProblem } from '../src/database/store.ts';

const good = {
  MONGODB_URI: 'mongodb://127.0.0.1/tasklist',
  B2C_TENANT_NAME: 'contoso.onmicrosoft.com',
  B2C_POLICY_NAME: 'b2c_1_susi',
  B2C_CLIENT_ID: 'f2a76e08-93f2-4350-833c-965c02483b11',
};

function tenantOf(env: Record<string, string | undefined>): Tenant {
  const [tenant] = loadConfig(env).tenants;
  return tenant ?? assert.fail('there is no tenant');
}

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
    tenants: [
      {
        kind: 'b2c',
        domain: 'contoso.onmicrosoft.com',
        policies: [
          {
            name: 'b2c_1_susi',
            label: 'b2c_1_susi',
            metadataUrl:
              'https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_susi/v2.0/.well-known/openid-configuration',
          },
        ],
        audiences: [good.B2C_CLIENT_ID],
        issuers: [],
        validateIssuer: true,
        ownerClaim: undefined,
      },
    ],
    docsClientId: undefined,
    docsScopes: [],
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
  const { policies } = tenantOf({ ...good, B2C_TENANT_NAME: 'contoso' });

  assert.equal(
    policies[0]?.metadataUrl,
    'https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_susi/v2.0/.well-known/openid-configuration',
  );
});

test('each policy has metadata of its own, in every form of the URL', () => {
  const names = { ...good, B2C_POLICY_NAME: 'B2C_1_signUp, b2c_1a_custom,b2c_1_signup' };
  const urls = (template: string): string[] =>
    tenantOf({ ...names, B2C_IDENTITY_METADATA: template }).policies.map(({ metadataUrl }) => metadataUrl);

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

  const { policies } = tenantOf({ ...good, B2C_POLICY_NAME: '', B2C_IDENTITY_METADATA: url });

  assert.deepEqual(policies, [{ name: '', label: 'openid', metadataUrl: url }]);
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
    'B2C_CLOCK_SKEW is "-1", expected a whole number of seconds from 0 to 3600',
    'AUTO_REGISTER is "yes", expected true or false',
    'CORS_ORIGINS is "example.com" (no browser sends that as an origin), expected * or origins as browsers send them (https://app.example.com, capacitor://localhost) separated by commas',
    'B2C_TENANT_NAME is not set, expected the tenant: contoso.onmicrosoft.com or contoso',
    `B2C_POLICY_NAME is not set, expected ${b2cVariables.policyNames.expected}`,
    'B2C_CLIENT_ID is not set, expected the application (client) id of this API',
  ]);
});

const refused = {
  HOST: ['256.1.1.1', '1.2.3', 'a b', 'a/b', 'http://a'],
  PORT: ['65536', '1.5', '-1', '0x10'],
  MONGODB_URI: ['postgres://localhost', 'embedded:', 'localhost'],
  B2C_TENANT_NAME: ['https://contoso', 'con toso', '-contoso', '<tenant>', '"contoso"'],
  B2C_POLICY_NAME: ['susi', 'b2c_1_', 'b2c_1_a,,b2c_1_b', 'b2c_2_a'],
  B2C_CLIENT_ID: ['two words', "'f2a76e08-93f2-4350-833c-965c02483b11'", '<Application ID>'],
  B2C_ISSUER: ['"https://a.example/"', 'https://<tenant>.b2clogin.com/', 'https://a.example/{tenantid}/v2.0'],
  DOCS_CLIENT_ID: ['two words', '<id>'],
  B2C_AUDIENCE: ['a,,b', 'a b', '"a",b', 'a,"b"', '<a>'],
  B2C_IDENTITY_METADATA: ['http://login.example.com/metadata', 'login.example.com', 'https://me:secret@example.com/'],
  B2C_VALIDATE_ISSUER: ['no', '1'],
  B2C_CLOCK_SKEW: ['3601', '1.5', 'five'],
  B2C_READ_SCOPE: ['tasks.read tasks.write', 'a"b'],
  THROTTLE_RATE: ['-1', 'fast', '1e3'],
  THROTTLE_BURST: ['0', '2.5'],
  TRUST_PROXY: ['yes', '-1', '11', '1.5'],
  CORS_ORIGINS: [
    'https://app.example.com/',
    'app.example.com',
    'https://*.example.com',
    'https://App.example.com',
    'HTTPS://app.example.com',
    'https://app.example.com:443',
    'http://app.example.com:80',
    'https://app.example.com/path',
    'https://app.example.com?',
    'https://me@app.example.com',
    'https://b\u00fccher.example',
    'https://',
    'https://app.example.com:99999',
    'null',
    'capacitor://localhost/',
    '"https://app.example.com"',
  ],
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
    'MONGODB_URI is malformed, expected mongodb://…, mongodb+srv://… or embedded:<directory>',
  ]);
});

test('what the driver finds wrong with a URI is reported with everything else', () => {
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

  assert.equal(tenantOf(env).validateIssuer, false);
  assert.match(problemsOf({ ...env, NODE_ENV: 'production' }).join(), /^B2C_VALIDATE_ISSUER is "false"/);
});

test('.env.example lists every variable, with its default', async () => {
  const text = await readFile(new URL('../.env.example', import.meta.url), 'utf8');
  const listed = new Map(
    [...text.matchAll(/^(# )?([A-Z0-9_]+)=(\S*)/gm)].map(([, off, name, value]) => [name, { off, value }]),
  );

  assert.deepEqual([...listed.keys()].sort(), variables.map(({ name }) => name).sort());
  for (const variable of variables) {
    const { off, value } = listed.get(variable.name) ?? {};
    assert.equal(
      off === undefined,
      variable.default === undefined,
      `${variable.name}: only what is required is filled in`,
    );
    if (variable.default !== undefined) assert.equal(value, variable.default, variable.name);
  }
  // Whoever starts the server with the example as it is learns what to fill in.
  assert.deepEqual(
    problemsOf(parse(text)).map((problem) => problem.split(' is ')[0]),
    ['B2C_CLIENT_ID'],
  );
});

test('CORS_ORIGINS takes origins of any scheme as browsers send them', () => {
  const origins = [
    'https://app.example.com',
    'http://localhost:5173',
    'http://[::1]:8080',
    'https://xn--bcher-kva.example:8443',
    'capacitor://localhost',
    'ionic://localhost',
    'chrome-extension://abcdefghijklmnop',
  ];

  assert.deepEqual(loadConfig({ ...good, CORS_ORIGINS: origins.join(', ') }).corsOrigins, origins);
});

const slips: Record<string, [env: Record<string, string>, told: RegExp]> = {
  'the sign-in host for the tenant': [
    { B2C_TENANT_NAME: 'contoso.b2clogin.com' },
    /^B2C_TENANT_NAME is "contoso\.b2clogin\.com" \(the host of the tenant's sign-in pages\), expected the tenant/,
  ],
  'a tenant of External ID for one of B2C': [
    { B2C_TENANT_NAME: 'contoso.ciamlogin.com' },
    /EXTERNAL_ID_METADATA and EXTERNAL_ID_CLIENT_ID instead/,
  ],
  'the host of all sign-in pages': [{ B2C_TENANT_NAME: 'login.microsoftonline.com' }, /the host of all sign-in pages/],
  'the directory id for the tenant': [
    { B2C_TENANT_NAME: 'c64a4f7d-3091-4c73-a722-a3f06e6e5b1c' },
    /^B2C_TENANT_NAME is the directory \(tenant\) id, expected the tenant: contoso/,
  ],
  'the Application ID URI for the client id': [
    { B2C_CLIENT_ID: 'https://contoso.onmicrosoft.com/tasks' },
    /the Application ID URI, which tokens do not carry/,
  ],
  'the id of .env.example': [
    { B2C_CLIENT_ID: '00000000-0000-0000-0000-000000000000' },
    /the example of \.env\.example/,
  ],
  'quotes that docker keeps': [{ B2C_CLIENT_ID: `"${good.B2C_CLIENT_ID}"` }, /\(still in quotes\)/],
  'angle brackets of the documentation': [{ B2C_CLIENT_ID: '<Application ID>' }, /\(still with angle brackets\)/],
  'the authority of External ID for its metadata': [
    { EXTERNAL_ID_METADATA: 'https://contoso.ciamlogin.com/', EXTERNAL_ID_CLIENT_ID: 'a' },
    /^EXTERNAL_ID_METADATA is "https:\/\/contoso\.ciamlogin\.com\/" \(not its metadata\)/,
  ],
};
for (const [what, [env, told]] of Object.entries(slips)) {
  test(`a common mistake is named: ${what}`, () => {
    const problems = problemsOf({ ...good, ...env });

    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', told);
  });
}

test('a client secret in the place of an id is named, and not shown', () => {
  const secret = 'abc8Q~0123456789abcdefghijklmnopqrstuv';

  for (const name of ['B2C_CLIENT_ID', 'B2C_AUDIENCE', 'DOCS_CLIENT_ID']) {
    const problems = problemsOf({ ...good, [name]: secret }).join();
    assert.match(problems, new RegExp(`^${name} is malformed \\(a client secret\\)`));
    assert.ok(!problems.includes(secret));
  }
});

test('a placeholder left in MONGODB_URI is reported without the URI', () => {
  const problems = problemsOf({ ...good, MONGODB_URI: 'mongodb+srv://me:<db_password>@cluster.example.net/' }).join();

  assert.match(problems, /^MONGODB_URI is malformed \(still with angle brackets\)/);
  assert.ok(!problems.includes('cluster'));
});

test('what a variable holds cannot move the cursor of the terminal that shows it', () => {
  const problems = problemsOf({ ...good, LOG_LEVEL: 'in\u001b[2Jfo\u202e' }).join();

  assert.match(problems, /^LOG_LEVEL is "in\\u001b\[2Jfo\\u202e"/);
});

const external = {
  EXTERNAL_ID_METADATA: 'https://aaaa.ciamlogin.com/aaaa/v2.0/.well-known/openid-configuration?appid=1',
  EXTERNAL_ID_CLIENT_ID: '00001111-AAAA-4222-BBBB-3333CCCC4444, another',
  EXTERNAL_ID_OWNER_CLAIM: 'extension_0123_B2CObjectId',
};
const externalTenant = {
  kind: 'external-id',
  domain: undefined,
  policies: [{ name: '', label: 'external-id', metadataUrl: external.EXTERNAL_ID_METADATA }],
  audiences: ['00001111-aaaa-4222-bbbb-3333cccc4444', 'another'],
  issuers: [],
  validateIssuer: true,
  ownerClaim: 'extension_0123_B2CObjectId',
};

test('External ID stands beside B2C', () => {
  const { tenants } = loadConfig({ ...good, ...external });

  assert.deepEqual(
    tenants.map(({ kind }) => kind),
    ['b2c', 'external-id'],
  );
  assert.deepEqual(tenants[1], externalTenant);
});

test('External ID works alone, with and without the settings that are no tenant’s', () => {
  const alone = { MONGODB_URI: good.MONGODB_URI, ...external };
  const general = { B2C_CLOCK_SKEW: '60', B2C_READ_SCOPE: 'tasks.read', B2C_WRITE_SCOPE: 'tasks.write' };
  const empty = { B2C_TENANT_NAME: '', B2C_POLICY_NAME: '', B2C_CLIENT_ID: ' ', B2C_VALIDATE_ISSUER: 'true' };

  for (const env of [alone, { ...alone, ...general }, { ...alone, ...empty }]) {
    assert.deepEqual(loadConfig(env).tenants, [externalTenant]);
  }
});

test('half of B2C beside External ID is refused, and what is lacking is named', () => {
  const { MONGODB_URI, ...b2c } = good;
  const parts = [...Object.entries(b2c), ['B2C_AUDIENCE', 'a'], ['B2C_ISSUER', 'https://a.example/']] as const;

  for (const [name, value] of parts) {
    const problems = problemsOf({ MONGODB_URI, ...external, [name]: value });
    assert.ok(problems.length > 0, name);
    assert.ok(problems.every((problem) => / is not set, expected /.test(problem)));
  }
  assert.match(
    problemsOf({ MONGODB_URI, ...external, B2C_VALIDATE_ISSUER: 'false' }).join(),
    /^B2C_TENANT_NAME is not set/,
  );
});

test('External ID in part is refused', () => {
  const { EXTERNAL_ID_METADATA, EXTERNAL_ID_CLIENT_ID, EXTERNAL_ID_OWNER_CLAIM } = external;

  assert.match(
    problemsOf({ ...good, EXTERNAL_ID_METADATA }).join(),
    /^EXTERNAL_ID_CLIENT_ID is not set, expected the application/,
  );
  for (const env of [{ EXTERNAL_ID_CLIENT_ID }, { EXTERNAL_ID_OWNER_CLAIM }]) {
    const [name] = Object.keys(env);
    assert.match(
      problemsOf({ ...good, ...env }).join(),
      new RegExp(`^EXTERNAL_ID_METADATA is not set, although ${name} is set, expected an https URL`),
    );
  }
  assert.match(problemsOf({ ...good, EXTERNAL_ID_OWNER_CLAIM }).join(), /EXTERNAL_ID_CLIENT_ID is not set/);
  for (const value of [
    'http://a.example/.well-known/openid-configuration',
    'nonsense',
    'https://<tenant id>.ciamlogin.com/',
  ]) {
    assert.match(
      problemsOf({ ...good, ...external, EXTERNAL_ID_METADATA: value }).join(),
      /^EXTERNAL_ID_METADATA is "/,
    );
  }
  assert.match(
    problemsOf({ ...good, ...external, EXTERNAL_ID_OWNER_CLAIM: 'a,b' }).join(),
    /^EXTERNAL_ID_OWNER_CLAIM is/,
  );
});
