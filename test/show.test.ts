import assert from 'node:assert/strict';
import { test } from 'node:test';
import { show, showDuration, showFromNow, visible } from '../src/show.ts';

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

test('a name is shown as it is, but for what moves a cursor or turns a line around', () => {
  assert.equal(visible('Zoë 李 🙂 \u200d "quoted"'), 'Zoë 李 🙂 \u200d "quoted"');
  assert.equal(
    visible('a\u001b[2Jb\r\nc\u0085d\u009b1me\u007f'),
    'a\\u001b[2Jb\\u000d\\u000ac\\u0085d\\u009b1me\\u007f',
  );
  assert.equal(visible('\u202egpj.exe \u2066x\u061c\ufeff\u2028'), '\\u202egpj.exe \\u2066x\\u061c\\ufeff\\u2028');
});

test('a length of time is shown by its two largest units', () => {
  const shown = [0, 0.4, 59, 60, 7_500, 7_200, 86_400, 200_000, -90].map(showDuration);

  assert.deepEqual(shown, ['0 s', '0 s', '59 s', '1 min', '2 h 5 min', '2 h', '1 day', '2 days 7 h', '1 min 30 s']);
});

test('a time that is still to come is not shown as one that has passed', () => {
  assert.deepEqual([3_600, 0, -90].map(showFromNow), ['in 1 h', 'in 0 s', '1 min 30 s ago']);
});
