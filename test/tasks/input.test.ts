import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidTaskError, MissingTaskError } from '../../src/errors.ts';
import type { Members } from '../../src/http/request.ts';
import { readPatch, readSelection, readTask, readTaskNamed, readUpdate } from '../../src/tasks/input.ts';

const date = new Date('2026-11-24T00:00:00Z');

test('a task is read from what it needs and nothing else', () => {
  const unknown = {
    _id: 1,
    id: 2,
    owner: { $ne: '' },
    createdAt: 3,
    updatedAt: 4,
    completedAt: [],
    version: 5,
    $set: 6,
  };

  const fields = readTask({ Text: ' Buy milk ', completed: true, date: '2026-11-24', ...unknown });

  assert.deepEqual(fields, { text: ' Buy milk ', completed: true, date });
});

test('task is another name for Text', () => {
  assert.deepEqual(readTask({ task: 'Buy milk' }), { text: 'Buy milk', completed: false, date: undefined });
  assert.equal(readTask({ Text: 'Buy milk', task: 'Buy milk' }).text, 'Buy milk');
});

test('a form says true and false as text', () => {
  assert.equal(readTask({ Text: 'Buy milk', completed: 'true' }, 'form').completed, true);
  assert.equal(readTask({ Text: 'Buy milk', completed: 'false' }, 'form').completed, false);
  assert.throws(() => readTask({ Text: 'Buy milk', completed: 'yes' }, 'form'), InvalidTaskError);
  assert.throws(() => readTask({ Text: 'Buy milk', completed: 'true' }, 'json'), InvalidTaskError);
});

test('a text may have 4,096 UTF-16 code units', () => {
  assert.equal(readTask({ Text: 'é'.repeat(4096) }).text.length, 4096);
  assert.equal(readTask({ Text: '🥛'.repeat(2048) }).text.length, 4096);
  assert.throws(() => readTask({ Text: '🥛'.repeat(2048) + '!' }), /4097 characters: 4096 at most/);
});

const missing: Record<string, Members | undefined> = {
  'no body': undefined,
  'no text': {},
  'an empty text': { Text: '' },
  'a null text': { Text: null },
  'white space alone': { task: ' \t\r\n\u00A0\u3000\u2028\uFEFF' },
};
for (const [reason, members] of Object.entries(missing)) {
  test(`${reason} is a missing task`, () => {
    assert.throws(() => readTask(members), MissingTaskError);
    assert.throws(() => readUpdate(members), MissingTaskError);
  });
}

const wrong: [Members, RegExp][] = [
  [{ Text: 5 }, /"Text"/],
  [{ Text: false }, /"Text"/],
  [{ task: ['Buy milk'] }, /"Text"/],
  [{ Text: { $ne: '' } }, /"Text"/],
  [{ Text: 'Buy \uD83E milk' }, /"Text".*well-formed/],
  [{ Text: 'Buy milk', task: 'Buy bread' }, /"Text" and "task" differ/],
  [{ Text: 'Buy milk', task: null }, /"Text" and "task" differ/],
  [{ Text: 'Buy milk', completed: 1 }, /"completed"/],
  [{ Text: 'Buy milk', completed: null }, /"completed"/],
  [{ Text: 'Buy milk', completed: { $exists: true } }, /"completed"/],
  [{ Text: 'Buy milk', date: 1732406400000 }, /"date"/],
  [{ Text: 'Buy milk', date: null }, /"date"/],
  [{ Text: 'Buy milk', date: '2026-02-30' }, /"date"/],
];
for (const [members, message] of wrong) {
  test(`${JSON.stringify(members)} is refused by name`, () => {
    assert.throws(
      () => readTask(members),
      (error) => error instanceof InvalidTaskError && message.test(error.message),
    );
  });
}

test('a patch changes what it names and resets what is null', () => {
  assert.deepEqual(readPatch({}), {});
  assert.deepEqual(readPatch({ task: 'Buy bread' }), { text: 'Buy bread' });
  assert.deepEqual(readPatch({ completed: null, date: null }), { completed: false, date: null });
  assert.deepEqual(readPatch({ completed: true, date: '2026-11-24', _id: 7 }), { completed: true, date });
  assert.throws(() => readPatch({ Text: null }), MissingTaskError);
  assert.throws(() => readPatch({ Text: ' ' }), MissingTaskError);
  assert.throws(() => readPatch({ Text: 'Buy milk', task: 'Buy bread' }), InvalidTaskError);
  assert.throws(() => readPatch({ completed: 'true' }), InvalidTaskError);
});

test('a selection is the one text that body and query agree on', () => {
  assert.equal(readSelection({}, {}), undefined);
  assert.equal(readSelection({ task: 'Buy milk' }, {}), 'Buy milk');
  assert.equal(readSelection({ task: 'Buy milk' }, { Text: 'Buy milk' }), 'Buy milk');
  assert.throws(() => readSelection({ task: 'Buy milk' }, { Text: 'Buy bread' }), InvalidTaskError);
  assert.throws(() => readSelection({ Text: { $gt: '' } }, {}), InvalidTaskError);
  assert.throws(() => readSelection({ Text: '' }, {}), MissingTaskError);
  assert.throws(() => readSelection({ Text: null }, {}), MissingTaskError);
});

test('a text in the URL can be completed by a body, but not contradicted', () => {
  assert.deepEqual(readTaskNamed('Buy milk', { completed: true }), {
    text: 'Buy milk',
    completed: true,
    date: undefined,
  });
  assert.equal(readTaskNamed('Buy milk', { Text: 'Buy milk' }).text, 'Buy milk');
  assert.throws(() => readTaskNamed('Buy milk', { task: 'Buy bread' }), InvalidTaskError);
  assert.throws(() => readTaskNamed(' '), MissingTaskError);
});
