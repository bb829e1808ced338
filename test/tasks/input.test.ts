import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidTaskError, MissingTaskError } from '../../src/errors.ts';
import type { Members } from '../../src/http/request.ts';
import { draftOf } from '../../src/tasks/document.ts';
import { readPatch, readSelection, readTask, readTaskNamed, readUpdate } from '../../src/tasks/input.ts';
import { ABSENT } from '../../src/tasks/members.ts';

const due = { kind: 'day', at: new Date('2026-11-24T00:00:00Z') };
const json = (body?: Members) => ({ body, bodyKind: 'json' }) as const;
const form = (body: Members) => ({ body, bodyKind: 'form' }) as const;
const newTask = (body: Members) => draftOf(readTask(json(body)));

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

  const draft = newTask({ Text: ' Buy milk ', completed: true, date: '2026-11-24', ...unknown });

  assert.deepEqual(draft, { text: ' Buy milk ', due, details: { ...ABSENT, completed: true } });
});

test('task is another name for Text', () => {
  assert.deepEqual(newTask({ task: 'Buy milk' }), { text: 'Buy milk', due: { kind: 'none' }, details: ABSENT });
  assert.equal(newTask({ Text: 'Buy milk', task: 'Buy milk' }).text, 'Buy milk');
  assert.equal(newTask({ Text: 'Buy milk', task: null }).text, 'Buy milk');
});

test('a form says true and false as text', () => {
  assert.equal(readTask(form({ Text: 'Buy milk', completed: 'true' })).details.completed, true);
  assert.equal(readTask(form({ Text: 'Buy milk', completed: 'false' })).details.completed, false);
  assert.throws(() => readTask(form({ Text: 'Buy milk', completed: 'yes' })), InvalidTaskError);
  assert.throws(() => readTask(json({ Text: 'Buy milk', completed: 'true' })), InvalidTaskError);
});

test('a form knows no lists', () => {
  const { details } = readTask(
    form({ Text: 'Buy milk', notes: '', importance: 'high', categories: 'x', checklist: '[]' }),
  );

  assert.deepEqual(details, { notes: null, importance: 'high' });
});

test('a text may have 4,096 UTF-16 code units', () => {
  assert.equal(newTask({ Text: 'é'.repeat(4096) }).text.length, 4096);
  assert.equal(newTask({ Text: '🥛'.repeat(2048) }).text.length, 4096);
  assert.throws(() => newTask({ Text: '🥛'.repeat(2048) + '!' }), /4097 characters, expected at most 4096/);
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
    assert.throws(() => readTask(json(members)), MissingTaskError);
    assert.throws(() => readUpdate(json(members)), MissingTaskError);
  });
}

const wrong: [Members, RegExp][] = [
  [{ Text: 5 }, /"Text"/],
  [{ Text: false }, /"Text"/],
  [{ task: ['Buy milk'] }, /"Text"/],
  [{ Text: { $ne: '' } }, /"Text"/],
  [{ Text: 'Buy \uD83E milk' }, /"Text".*well-formed/],
  [{ Text: 'Buy milk', task: 'Buy bread' }, /"Text" and "task" differ/],
  [{ Text: 'Buy milk', completed: 1 }, /"completed"/],
  [{ Text: 'Buy milk', completed: { $exists: true } }, /"completed"/],
  [{ Text: 'Buy milk', date: 1732406400000 }, /"date"/],
  [{ Text: 'Buy milk', due: 'tomorrow' }, /"due"/],
  [{ Text: 'Buy milk', due: '2026-11-24', date: '2026-11-25' }, /"due" and "date" differ/],
  [{ Text: 'Buy milk', notes: 5 }, /"notes"/],
  [{ Text: 'Buy milk', notes: 'x'.repeat(16_385) }, /"notes"/],
  [{ Text: 'Buy milk', notes: '\uD83E' }, /"notes".*well-formed/],
  [{ Text: 'Buy milk', importance: 'urgent' }, /"importance"/],
  [{ Text: 'Buy milk', importance: 'constructor' }, /"importance"/],
  [{ Text: 'Buy milk', categories: 'Home' }, /"categories"/],
  [{ Text: 'Buy milk', categories: ['Home', ''] }, /"categories\[1\]"/],
  [{ Text: 'Buy milk', categories: [{ $gt: '' }] }, /"categories\[0\]"/],
  [{ Text: 'Buy milk', categories: Array.from({ length: 21 }, (_, i) => `${i}`) }, /"categories" has 21/],
  [{ Text: 'Buy milk', checklist: {} }, /"checklist"/],
  [{ Text: 'Buy milk', checklist: [null] }, /"checklist\[0\]"/],
  [{ Text: 'Buy milk', checklist: [{ text: 'a' }, {}] }, /"checklist\[1\]\.text"/],
  [{ Text: 'Buy milk', checklist: [{ text: 'x'.repeat(513) }] }, /"checklist\[0\]\.text"/],
  [{ Text: 'Buy milk', checklist: [{ text: 'a', completed: 1 }] }, /"checklist\[0\]\.completed"/],
  [{ Text: 'Buy milk', checklist: Array.from({ length: 51 }, () => ({ text: 'a' })) }, /"checklist" has 51/],
  [{ Text: 'Buy milk', remindAt: '2026-11-24' }, /"remindAt"/],
  [{ Text: 'Buy milk', remindAt: 5 }, /"remindAt"/],
  [{ Text: 'Buy milk', position: 'a b' }, /"position"/],
  [{ Text: 'Buy milk', position: 'é' }, /"position"/],
  [{ Text: 'Buy milk', position: 'a'.repeat(65) }, /"position"/],
  [{ Text: 'Buy milk', date: '2026-02-30' }, /"date"/],
];
for (const [members, message] of wrong) {
  test(`${JSON.stringify(members)} is refused by name`, () => {
    assert.throws(
      () => newTask(members),
      (error) => error instanceof InvalidTaskError && message.test(error.message),
    );
  });
}

test('a patch changes what it names and resets what is null', () => {
  const nothing = { texts: [], dues: [], details: {} };
  assert.deepEqual(readPatch(json({})), nothing);
  assert.deepEqual(readPatch(json({ task: 'Buy bread' })), { ...nothing, texts: ['Buy bread'] });
  assert.deepEqual(readPatch(json({ completed: null, date: null, notes: null, categories: null })), {
    ...nothing,
    dues: [{ name: 'date', due: { kind: 'none' } }],
    details: { completed: false, notes: null, categories: [] },
  });
  assert.deepEqual(readPatch(json({ completed: true, date: '2026-11-24', _id: 7 })), {
    ...nothing,
    dues: [{ name: 'date', due }],
    details: { completed: true },
  });
  assert.throws(() => readPatch(json({ Text: null })), MissingTaskError);
  assert.throws(() => readPatch(json({ Text: ' ' })), MissingTaskError);
  assert.throws(() => readPatch(json({ completed: 'true' })), InvalidTaskError);
});

test('a missing text is explained where the body tells why', () => {
  const detail = (call: Parameters<typeof readTask>[0]): string => {
    try {
      readTask(call);
    } catch (error) {
      if (error instanceof MissingTaskError) return error.detail;
    }
    return assert.fail('nothing was missing');
  };

  assert.match(detail(form({ '{"Text": "Buy milk"}': '' })), /Content-Type: application\/json/);
  assert.match(detail(json({ title: 'Buy milk' })), /"title" is unknown: send "Text"/);
  assert.match(detail(json({ text: 'Buy milk' })), /"text" is unknown/);
  assert.equal(detail(json({})), '"task" is a required parameter');
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
  assert.deepEqual(readTaskNamed('Buy milk', json({ completed: true })), {
    texts: ['Buy milk'],
    dues: [],
    details: { completed: true },
  });
  assert.deepEqual(readTaskNamed('Buy milk', json({ Text: 'Buy milk' })).texts, ['Buy milk']);
  assert.throws(() => readTaskNamed('Buy milk', json({ task: 'Buy bread' })), InvalidTaskError);
  assert.throws(() => readTaskNamed(' ', json()), MissingTaskError);
});
