import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isoOf, parseDate } from '../../src/tasks/due.ts';

const read: Record<string, string> = {
  '2026-11-24': '2026-11-24T00:00:00.000Z',
  '2024-02-29': '2024-02-29T00:00:00.000Z',
  '2000-02-29': '2000-02-29T00:00:00.000Z',
  '0000-02-29': '0000-02-29T00:00:00.000Z',
  '0001-01-01': '0001-01-01T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z': '9999-12-31T23:59:59.999Z',
  '2026-11-24T09:00:00Z': '2026-11-24T09:00:00.000Z',
  '2026-11-24t09:00:00z': '2026-11-24T09:00:00.000Z',
  '2026-11-24T09:00:00.5Z': '2026-11-24T09:00:00.500Z',
  '2026-11-24T09:00:00.1239999Z': '2026-11-24T09:00:00.123Z',
  '2026-11-24T09:00:00+01:30': '2026-11-24T07:30:00.000Z',
  '2026-11-24T23:00:00-02:00': '2026-11-25T01:00:00.000Z',
  '2026-11-24T09:00:00-00:00': '2026-11-24T09:00:00.000Z',
};
for (const [text, iso] of Object.entries(read)) {
  test(`${text} is ${iso}`, () => {
    assert.equal(parseDate(text)?.toISOString(), iso);
  });
}

// Leap seconds come at the end of a month in UTC, whatever the local time is then.
test('a leap second is the second that follows it', () => {
  assert.equal(parseDate('2016-12-31T23:59:60Z')?.toISOString(), '2017-01-01T00:00:00.000Z');
  assert.equal(parseDate('2016-12-31T15:59:60.7-08:00')?.toISOString(), '2017-01-01T00:00:00.000Z');
});

// ISO 8601 has more forms than RFC 3339.
const refused = [
  ...['', '1', 'tomorrow', '2026', '2026-11', '20261124', '2026-W48-2', '+002026-11-24', '-0001-01-01'],
  ...['2026-02-30', '2025-02-29', '1900-02-29', '2026-04-31', '2026-13-01', '2026-00-10', '2026-01-00'],
  ...['2026-11-24T09:00:00', '2026-11-24T09:00Z', '2026-11-24 09:00:00Z', '2026-11-24T9:00:00Z'],
  ...['2026-11-24T24:00:00Z', '2026-11-24T09:60:00Z', '2026-11-24T09:00:61Z', '2026-11-24T09:00:00.Z'],
  ...['2026-11-24T09:00:00+24:00', '2026-11-24T09:00:00+01:60', '2026-11-24T09:00:00+0100', '2026-11-24T09:00:00,5Z'],
  ...['2026-11-24T09:00:60Z', '2016-12-30T23:59:60Z', '2016-12-31T23:59:60+01:00'],
  ...['0000-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00', '2026-11-24\n', ' 2026-11-24', '２０２６-11-24'],
];
for (const text of refused) {
  test(`${JSON.stringify(text)} is no date`, () => {
    assert.equal(parseDate(text), undefined);
  });
}

test('every moment is read back from how it is written', () => {
  const years = { min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true };
  fc.assert(
    fc.property(fc.date(years), (date) => {
      assert.deepEqual(parseDate(date.toISOString()), date);
    }),
  );
});

test('a moment is written as the language itself writes it', () => {
  const moments = fc.date({ min: new Date('-000001-01-01T00:00:00Z'), max: new Date('+010000-12-31T00:00:00Z') });
  fc.assert(
    fc.property(
      moments.filter((date) => !Number.isNaN(date.getTime())),
      (date) => isoOf(date) === date.toISOString(),
    ),
    {
      numRuns: 3_000,
    },
  );
  assert.throws(() => isoOf(new Date(NaN)), RangeError);
});
