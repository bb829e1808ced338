import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import mongoose from 'mongoose';
import { InvalidQueryError } from '../../src/errors.ts';
import { containing, encodeCursor, folded, type ListQuery, readListing } from '../../src/tasks/listing.ts';

const id = new mongoose.Types.ObjectId('6742d0c4e1a2b3c4d5e6f708');

test('a list is 20 tasks, the oldest date first, unless the client says otherwise', () => {
  const { limit, sort, ...rest } = readListing({});

  assert.equal(limit, 20);
  assert.deepEqual(sort, { name: 'date', field: 'date', isDescending: false });
  assert.deepEqual(rest, { where: {}, q: undefined, cursor: undefined });
});

test('a cursor is read back for the order that it was made in', () => {
  for (const key of [0, -62_167_219_200_000, 1_795_000_000_123, null]) {
    const cursor = { sort: '-updatedAt', key, id };

    assert.deepEqual(readListing({ sort: '-updatedAt', cursor: encodeCursor(cursor) }).cursor, cursor);
  }
  for (const key of ['a0', '~', null]) {
    const cursor = { sort: 'position', key, id };

    assert.deepEqual(readListing({ sort: 'position', cursor: encodeCursor(cursor) }).cursor, cursor);
  }
});

const good = encodeCursor({ sort: 'date', key: 1, id });
const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const bad: [ListQuery, string][] = [
  ...['', '0', '101', '1000', '-1', '+5', '1.5', '1e1', '0x10', ' 5', 'ten'].map((limit): [ListQuery, string] => [
    { limit },
    'limit',
  ]),
  ...['', 'Text', '-', '--date', '+date', 'date,_id', 'owner', '__proto__', 'DATE'].map((sort): [ListQuery, string] => [
    { sort },
    'sort',
  ]),
  ...['', '1', 'TRUE', 'null'].map((completed): [ListQuery, string] => [{ completed }, 'completed']),
  [{ dueAfter: '2026-02-30' }, 'dueAfter'],
  [{ dueAfter: '2026-11-24T09:00:00 01:00' }, 'dueAfter'],
  [{ dueBefore: '' }, 'dueBefore'],
  [{ q: 'a'.repeat(101) }, 'q'],
  [{ q: '' }, 'q'],
  [{ importance: 'urgent' }, 'importance'],
  [{ category: '' }, 'category'],
  [{ category: 'a'.repeat(65) }, 'category'],
  [{ sort: 'position', cursor: json(['position', 1, id.toHexString()]) }, 'cursor'],
  ...[
    ...['', 'x', good.slice(1), `${good}=`, `${good} `, json({}), json(null), json(5), json([]), json(['date', 1])],
    ...[json(['date', 1, 'x']), json(['date', '1', id.toHexString()]), json(['date', 1.5, id.toHexString()])],
    ...[
      json(['date', 8.65e15, id.toHexString()]),
      json(['date', 1, id.toHexString(), 1]),
      json(['date', 1, { $gt: '' }]),
    ],
    json([{ $gt: '' }, 1, id.toHexString()]),
  ].map((cursor): [ListQuery, string] => [{ cursor }, 'cursor']),
  [{ sort: '-date', cursor: good }, 'cursor'],
];
for (const [query, name] of bad) {
  test(`${JSON.stringify(query).slice(0, 80)} is refused by name`, () => {
    assert.throws(
      () => readListing(query),
      (error) => error instanceof InvalidQueryError && error.message.startsWith(name),
    );
  });
}

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
