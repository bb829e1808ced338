import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadRequestError, PreconditionFailedError } from '../../src/errors.ts';
import { assertPreconditions, isNotModified, readConditions } from '../../src/http/conditional.ts';

const holds: [string, Record<string, string>, string | undefined][] = [
  ['no condition', {}, undefined],
  ['If-Match with the current tag', { 'if-match': '"a"' }, 'a'],
  ['If-Match with the tag of the gzip form', { 'if-match': '"a-gzip"' }, 'a'],
  ['If-Match with the tag as a proxy made it weak', { 'if-match': 'W/"a"' }, 'a'],
  ['If-Match with the tag as Caddy compressed it', { 'if-match': '"a-br"' }, 'a'],
  ['If-Match with the tag as Jetty compressed it', { 'if-match': '"a;gzip"' }, 'a'],
  ['If-Match with a tag compressed twice', { 'if-match': 'W/"a-gzip-br"' }, 'a'],
  ['If-Match with a tag that ends as if it were compressed', { 'if-match': '"a-br"' }, 'a-br'],
  ['If-Match with empty elements in its list', { 'if-match': ', "x",, "a",' }, 'a'],
  ['If-Match with several tags', { 'if-match': '"x", "a" ,"y"' }, 'a'],
  ['If-Match with a tag that holds a comma', { 'if-match': '"x,a", "a"' }, 'a'],
  ['If-Match: * on something that exists', { 'if-match': '*' }, 'a'],
  ['If-None-Match: * on nothing', { 'if-none-match': '*' }, undefined],
  ['If-None-Match with another tag', { 'if-none-match': '"b"' }, 'a'],
];
for (const [name, headers, current] of holds) {
  test(`${name} lets a write through`, () => {
    assert.doesNotThrow(() => {
      assertPreconditions(readConditions(headers), current);
    });
  });
}

const fails: [string, Record<string, string>, string | undefined][] = [
  ['If-Match with another tag', { 'if-match': '"b"' }, 'a'],
  ['If-Match with another weak tag', { 'if-match': 'W/"b"' }, 'a'],
  ['If-Match on nothing', { 'if-match': '"a"' }, undefined],
  ['If-Match: * on nothing', { 'if-match': '*' }, undefined],
  ['If-None-Match: * on something that exists', { 'if-none-match': '*' }, 'a'],
  ['If-None-Match with the current tag', { 'if-none-match': '"a"' }, 'a'],
  ['If-None-Match with the current tag, weak', { 'if-none-match': 'W/"a"' }, 'a'],
];
for (const [name, headers, current] of fails) {
  test(`${name} fails a write, and tells the current tag`, () => {
    assert.throws(
      () => {
        assertPreconditions(readConditions(headers), current);
      },
      (error) => {
        assert.ok(error instanceof PreconditionFailedError);
        assert.deepEqual(error.headers, current === undefined ? {} : { ETag: '"a"' });
        return true;
      },
    );
  });
}

for (const malformed of ['a', '"a', '"a" "b"', '"a", b', ',', 'w/"a"', '*, "a"', '"a b"', '']) {
  test(`a malformed If-Match is refused, not ignored: ${JSON.stringify(malformed)}`, () => {
    assert.throws(() => readConditions({ 'if-match': malformed }), BadRequestError);
  });
}

test('a reader who holds the current state gets 304, compared weakly', () => {
  for (const header of ['"a"', 'W/"a"', '"a-gzip"', '"x", "a"', '*']) {
    assert.equal(isNotModified({ 'if-none-match': header }, 'a'), true, header);
  }
  assert.equal(isNotModified({ 'if-none-match': '"b"' }, 'a'), false);
  assert.equal(isNotModified({}, 'a'), false);
});
