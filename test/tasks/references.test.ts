import assert from 'node:assert/strict';
import test from 'node:test';
import mongoose from 'mongoose';
import { referenceToTask } from '../../src/tasks/handlers.ts';
import { encodeCursor, referenceToNext } from '../../src/tasks/listing.ts';

const ID = '6742d0c4e1a2b3c4d5e6f708';
const paths = ['/api/tasks', '/tasks', '/api/tasks/me/Buy%20milk', `/api/tasks/${ID}`, '/api//tasks'];

for (const prefix of ['', '/todoserver', '/a/b']) {
  for (const path of paths) {
    test(`the reference to a task resolves from ${prefix}${path}, with slashes at its end or without`, () => {
      for (const slashes of ['', '/', '//']) {
        const received = path + slashes;

        const resolved = new URL(referenceToTask(received, ID), `https://example.test${prefix}${received}`).href;

        assert.equal(resolved, `https://example.test${prefix}/api/tasks/${ID}`);
      }
    });
  }
}

test('the reference to the next page keeps the rest of the query', () => {
  const cursor = { sort: '-date', key: 1, id: new mongoose.Types.ObjectId(ID) };

  const next = referenceToNext({ limit: '5', q: 'é &', cursor: 'old', sort: '-date' }, cursor);

  const url = new URL(next, 'https://example.test/todoserver/api/tasks?limit=5');
  assert.equal(url.pathname, '/todoserver/api/tasks');
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    limit: '5',
    q: 'é &',
    cursor: encodeCursor(cursor),
    sort: '-date',
  });
});
