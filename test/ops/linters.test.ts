/** What the usual linters say of the API document: nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import spectral, { type RulesetDefinition } from '@stoplight/spectral-core';
import rulesets from '@stoplight/spectral-rulesets';
import { document } from './document.ts';

test('Spectral’s rules for OpenAPI find nothing', async () => {
  const linter = new spectral.Spectral();
  linter.setRuleset({ extends: [rulesets.oas as RulesetDefinition] });

  const found = await linter.run(structuredClone(document));

  assert.deepEqual(
    found.map(({ code, path, message }) => `${code} ${path.join('.')}: ${message}`),
    [],
  );
});

test('Redocly’s recommended rules find nothing', async () => {
  const config = await createConfig({ extends: ['recommended'] });

  const found = await lintFromString({ source: JSON.stringify(document), absoluteRef: 'openapi.json', config });

  assert.deepEqual(
    found.map(({ ruleId, location, message }) => `${ruleId} ${location[0]?.pointer}: ${message}`),
    [],
  );
});
