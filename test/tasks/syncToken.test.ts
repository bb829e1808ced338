import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidQueryError, SyncTokenExpiredError } from '../../src/errors.ts';
import { encodeSyncToken, readSyncToken } from '../../src/tasks/changes.ts';
import { randomId } from '../../src/tasks/document.ts';

const DAY_MS = 24 * 3_600_000;
const now = Date.parse('2026-11-24T09:00:00Z');
const token = { knownAt: now, epoch: 'abc', number: 7, id: undefined, quietUntil: 3 };

test('a token is read back as it was made', () => {
  for (const change of [{}, { id: randomId() }, { quietUntil: 0 }, { number: 0 }]) {
    const made = { ...token, ...change };

    assert.deepEqual(readSyncToken(encodeSyncToken(made), now), made);
  }
});

test('a token is good for 30 days', () => {
  const text = encodeSyncToken(token);

  assert.deepEqual(readSyncToken(text, now + 30 * DAY_MS), token);
  assert.throws(() => readSyncToken(text, now + 30 * DAY_MS + 1), SyncTokenExpiredError);
});

const good = encodeSyncToken(token);
const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const malformed = [
  ...['', 'x', 'null', good.slice(1), good.slice(0, -1), `${good}=`, `${good}A`, ` ${good}`],
  ...[json(null), json({}), json([]), json([2, now, 'abc', 7, '', 3]), json([1, now, 'abc', 7, ''])],
  ...[json([1, '1', 'abc', 7, '', 3]), json([1, now, { $ne: '' }, 7, '', 3]), json([1, now, 'abc', 7.5, '', 3])],
  ...[json([1, now, 'abc', 7, 'x', 3]), json([1, now, 'abc', 7, null, 3]), json([1, now, 'abc', 7, '', 3, 4])],
];
for (const text of malformed) {
  test(`${text.slice(0, 60) || 'nothing'} is no token`, () => {
    assert.throws(
      () => readSyncToken(text, now),
      (error) => error instanceof InvalidQueryError && error.message.startsWith('since'),
    );
  });
}
