import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { containing, folded } from '../../src/tasks/search.ts';

test('a part is found whatever the case of letters and the normalization form', () => {
  const found: [text: string, part: string][] = [
    ['Call Zoë', 'zoe\u0308'],
    ['Call Zoe\u0308', 'ZOË'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευς'],
    ['Straße fegen', 'STRASSE'],
    ['50 % (net)', '% (n'],
    ['a\0b', '\0'],
    ['aaab', 'aab'],
  ];

  for (const [text, part] of found) assert.ok(containing(part)(text), `${part} in ${text}`);
  for (const [text, part] of [
    ['Zoé', 'zoë'],
    ['Buy milk', 'milk!'],
    ['', 'a'],
  ] as const) {
    assert.ok(!containing(part)(text), `${part} not in ${text}`);
  }
});

test('it finds what a search character by character finds', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'é'), minLength: 1, maxLength: 12 });

  fc.assert(
    fc.property(letters, letters, (text, part) => {
      assert.equal(containing(part)(text), folded(text).includes(folded(part)));
    }),
  );
});
