import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import * as errors from '../../src/errors.ts';
import { problems } from '../../src/ops/openapi/document.ts';
import { assertValid, document, operations, resolved, type Json } from './document.ts';

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

  // It stands inside the answer of a batch, and is the answer of no operation.
  const unmatched = '#/components/examples/NotDone';
  assert.deepEqual([...references, unmatched].sort(), defined.sort());
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

function namesOf(classes: unknown[]): string[] {
  return classes.map((one) => (one as { name: string }).name).sort();
}

function visit(value: unknown, see: (value: Json, path: string[]) => void, path: string[] = []): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) see(value as Json, path);
  for (const [name, member] of Object.entries(value)) visit(member, see, [...path, name]);
}
