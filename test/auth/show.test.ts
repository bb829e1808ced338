import assert from 'node:assert/strict';
import { test } from 'node:test';
import { show } from '../../src/auth/show.ts';

test('a value is shown on one line, shortened, and without characters that a terminal obeys', () => {
  assert.equal(show(undefined), 'absent');
  assert.equal(show(['a\nb', 7]), '["a\\nb",7]');
  assert.equal(show('\u202e\u009b'), '"\\u202e\\u009b"');
  assert.equal(show('x'.repeat(300)), `"${'x'.repeat(199)}…`);
});

test('a value that is nested too deeply to be written down is said to be just that', () => {
  const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));

  assert.equal(show(deep), 'a value nested too deeply to be shown');
});
