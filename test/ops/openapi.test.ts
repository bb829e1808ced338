import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import * as errors from '../../src/errors.ts';
import { problems } from '../../src/ops/document.ts';
import { assertValid, document, documentFor, type Json, operations, resolved } from './document.ts';

const API = '11111111-2222-3333-4444-555555555555';
const METADATA = '/v2.0/.well-known/openid-configuration';

test('the API document is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document));

  assert.ok(valid, JSON.stringify(errors, null, 2));
});

test('every reference in it leads somewhere, and everything it defines is referred to', () => {
  const references = new Set<string>();
  visit(document, ({ $ref }) => {
    if (typeof $ref === 'string') references.add($ref);
  });
  const defined = Object.entries(document.components).flatMap(([kind, entries]) =>
    kind === 'securitySchemes' ? [] : Object.keys(entries).map((name) => `#/components/${kind}/${name}`),
  );

  assert.deepEqual([...references].sort(), defined.sort());
});

test('clients are told where to sign in, and what to ask for', () => {
  const b2c = { B2C_TENANT_NAME: 'contoso', B2C_POLICY_NAME: 'b2c_1_susi', B2C_CLIENT_ID: API };
  const scoped = flowOf({ ...b2c, B2C_READ_SCOPE: 'tasks.read', B2C_WRITE_SCOPE: 'tasks.write' });
  const named = flowOf({ ...b2c, DOCS_SCOPES: 'https://contoso.onmicrosoft.com/to-do/read, api://to-do/write' });
  const custom = flowOf({
    ...b2c,
    B2C_IDENTITY_METADATA: `https://login.contoso.com/contoso.com${METADATA}?p={policy}`,
  });
  const external = flowOf({
    EXTERNAL_ID_METADATA: `https://contoso.ciamlogin.com/${API}${METADATA}`,
    EXTERNAL_ID_CLIENT_ID: API,
  });

  const policy = 'https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_susi';
  assert.equal(scoped.authorizationUrl, `${policy}/oauth2/v2.0/authorize`);
  assert.equal(scoped.tokenUrl, `${policy}/oauth2/v2.0/token`);
  const prefix = `https://contoso.onmicrosoft.com/${API}/tasks`;
  assert.deepEqual(Object.keys(scoped.scopes), [`${prefix}.read`, `${prefix}.write`, 'offline_access']);
  assert.deepEqual(Object.keys(named.scopes), [
    'https://contoso.onmicrosoft.com/to-do/read',
    'api://to-do/write',
    'offline_access',
  ]);
  assert.equal(custom.tokenUrl, 'https://login.contoso.com/contoso.com/oauth2/v2.0/token?p=b2c_1_susi');
  assert.equal(external.tokenUrl, `https://contoso.ciamlogin.com/${API}/oauth2/v2.0/token`);
  assert.deepEqual(Object.keys(external.scopes), [`api://${API}/.default`, 'offline_access']);
});

test('what to ask for follows from the tenant, wherever its metadata is', () => {
  const api = { B2C_TENANT_NAME: 'contoso', B2C_CLIENT_ID: API };
  const atB2c = [
    `https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/{policy}`,
    `https://login.contoso.com/${API}`,
  ];
  const ofB2c = atB2c.map((base) =>
    flowOf({ ...api, B2C_POLICY_NAME: 'b2c_1_susi', B2C_IDENTITY_METADATA: base + METADATA }),
  );
  const plain = flowOf({
    ...api,
    B2C_POLICY_NAME: '',
    B2C_IDENTITY_METADATA: `https://contoso.ciamlogin.com/${API}${METADATA}`,
  });

  for (const { scopes } of ofB2c) {
    assert.deepEqual(Object.keys(scopes), [`https://contoso.onmicrosoft.com/${API}/.default`, 'offline_access']);
  }
  assert.deepEqual(Object.keys(plain.scopes), [`api://${API}/.default`, 'offline_access']);
});

test('where the endpoints of an issuer do not follow from its metadata, clients are told only that they need a token', () => {
  const { components, security } = documentFor({
    B2C_TENANT_NAME: 'contoso',
    B2C_POLICY_NAME: '',
    B2C_CLIENT_ID: API,
    B2C_IDENTITY_METADATA: 'https://issuer.example.com/.well-known/openid-configuration',
  });

  assert.deepEqual(Object.keys(components.securitySchemes), ['bearer']);
  assert.deepEqual(security, [{ bearer: [] }]);
});

// Clients in Python, Kotlin and Swift send a default with every request: so a patch of the notes set `completed` to false.
test('no schema of a body has a default', () => {
  visit(document.components.schemas, (value, path) => {
    assert.ok(!('default' in value), path.join('.'));
  });
});

// Generators make different types of a `format`, and some of these cannot read milliseconds.
test('dates are plain strings', () => {
  visit(document, (value, path) => {
    assert.doesNotMatch(String(value['format']), /^date/, path.join('.'));
  });
});

// Generators name a nameless type after the first place where they meet it, such as `TaskChecklistInner`.
test('every object with members of its own has a name of its own', () => {
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    visit(schema, (value, path) => {
      assert.ok(path.length === 0 || !('required' in value), [name, ...path].join('.'));
    });
  }
});

// openapi-generator leaves such a type out, named or not, but its clients in Java import it.
test('no type is for forms alone', () => {
  const ofForms = new Set<string>();
  const others = new Set<string>();
  visit(document.paths, (value, path) => {
    const { $ref } = value as { $ref?: string };
    if ($ref !== undefined) (path.includes('application/x-www-form-urlencoded') ? ofForms : others).add($ref);
  });

  const alone = [...ofForms].filter((reference) => reference.includes('/schemas/') && !others.has(reference));
  assert.deepEqual(alone, []);
});

// "Try it" sends an example as it stands: the same Idempotency-Key each time, an If-Match that never matches.
test('no optional parameter has an example', () => {
  for (const { name, required, ...rest } of Object.values(document.components.parameters)) {
    assert.ok(required === true || !('example' in rest || 'examples' in rest), String(name));
  }
});

// openapi-python-client sends a type as the last of the media types that have it: so lists were sent as a form, and lost.
test('no type with lists is for both JSON and forms', () => {
  const lists = Object.entries(document.components.schemas).filter(([, type]) =>
    JSON.stringify(type).includes('"array"'),
  );
  const ofForms = new Set<unknown>();
  visit(document.paths, (value, path) => {
    if (path.includes('application/x-www-form-urlencoded')) ofForms.add(value['$ref']);
  });

  assert.deepEqual(
    lists.map(([name]) => name).filter((name) => ofForms.has(`#/components/schemas/${name}`)),
    [],
  );
});

test('operation ids are unique', () => {
  const ids = operations().map(({ operation }) => operation.operationId);

  assert.equal(new Set(ids).size, ids.length);
});

test('every code that the server can answer is documented, and no other', () => {
  const classes = Object.values(errors).filter((error) => error !== errors.ApiError);
  const documented = [...problems.values()].map(({ example }) => example.constructor);

  assert.deepEqual(namesOf(documented), namesOf(classes));
  assert.deepEqual(Object.keys(document.components.examples).sort(), [...problems.keys()].sort());
});

test('every error says with which headers it comes', () => {
  for (const { operation } of operations()) {
    for (const [status, response] of Object.entries(operation.responses)) {
      const { description, headers } = resolved(response) as { description: string; headers: Json };
      const codes = Number(status) < 400 ? [] : [...description.matchAll(/`(\w+)`/g)].map(([, code]) => code ?? '');
      for (const code of codes) {
        for (const name of Object.keys(problems.get(code)?.example.headers ?? {})) assert.ok(name in headers, code);
      }
    }
  }
});

test('every example is valid against its schema', () => {
  let checked = 0;
  visit(document, (value, path) => {
    const { schema, example, examples } = value;
    const all = Object.values((examples ?? {}) as Json).map((one) => (resolved(one) as Json)['value']);
    if (schema === undefined || path.includes('schemas')) return;
    for (const one of example === undefined ? all : [...all, example]) {
      assertValid([...path, 'schema'], one);
      checked += 1;
    }
  });

  assert.ok(checked > 50, `${checked} examples`);
});

interface Flow {
  authorizationUrl: string;
  tokenUrl: string;
  scopes: Record<string, string>;
}

/** How to get a token for a server with these settings. */
function flowOf(env: Record<string, string>): Flow {
  const { oauth2 } = documentFor(env).components.securitySchemes;
  return (oauth2 as { flows: { authorizationCode: Flow } }).flows.authorizationCode;
}

function namesOf(classes: unknown[]): string[] {
  return classes.map((one) => (one as { name: string }).name).sort();
}

function visit(value: unknown, see: (value: Json, path: string[]) => void, path: string[] = []): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) see(value as Json, path);
  for (const [name, member] of Object.entries(value)) visit(member, see, [...path, name]);
}
