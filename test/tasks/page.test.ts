import assert from 'node:assert/strict';
import { test } from 'node:test';
import { draftOf, newBirth, newTask, taskJson, type TaskState } from '../../src/tasks/document.ts';
import { MAX_PAGE_BYTES, Page } from '../../src/tasks/page.ts';

function tasks(count: number, Text = 'Buy milk'): TaskState[] {
  const at = new Date();
  const draft = draftOf({ texts: [Text], dues: [], details: {} });
  return Array.from({ length: count }, () => newTask(newBirth(at), draft));
}

function filled(limit: number, all: TaskState[]): Page {
  const page = new Page(limit);
  for (const task of all) if (!page.add(task)) break;
  return page;
}

test('a page is a JSON array of tasks on one line', () => {
  const three = tasks(3);

  const { json } = filled(20, three);

  assert.equal(json, `[${three.map(taskJson).join(',')}]`);
  assert.ok(!json.includes('\n'));
  assert.equal(new Page(20).json, '[]');
  assert.equal(filled(2, three).tasks.length, 2);
});

test('a page ends before it becomes too large, but never before its first task', () => {
  const long = tasks(1000, '\u0001'.repeat(4096));
  const one = taskJson(long[0] ?? assert.fail()).length + 1;

  const page = filled(1000, long);

  assert.equal(page.tasks.length, Math.floor(MAX_PAGE_BYTES / one));
  assert.ok(Buffer.byteLength(page.json) <= MAX_PAGE_BYTES);
  assert.equal(filled(20, tasks(1, '\u0001'.repeat(1_000_000))).tasks.length, 1);
});

test('no more is read than there is room for', () => {
  assert.equal(new Page(20).room, 21);
  assert.equal(filled(20, tasks(20)).room, 1);
  const [first, ...others] = tasks(30, 'x'.repeat(4096));
  const page = filled(1000, [first ?? assert.fail(), ...others]);
  const bytes = Buffer.byteLength(page.json) / 30;

  assert.ok(page.room * bytes < MAX_PAGE_BYTES);
  assert.ok(page.room > 50);
});
