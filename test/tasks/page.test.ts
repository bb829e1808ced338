import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newTask, randomId, type TaskState } from '../../src/tasks/document.ts';
import { jsonPage } from '../../src/tasks/page.ts';
import { toTask } from '../../src/tasks/view.ts';

function tasks(count: number): TaskState[] {
  const at = new Date();
  const fields = { text: 'Buy milk', completed: false, date: undefined };
  return Array.from({ length: count }, () => newTask({ id: randomId(), version: randomId(), at }, fields));
}

test('a page is a JSON array of tasks on one line', () => {
  const three = tasks(3);

  const { json, count } = jsonPage(three);

  assert.equal(count, 3);
  assert.deepEqual(JSON.parse(json), three.map(toTask));
  assert.ok(!json.includes('\n'));
  assert.deepEqual(jsonPage([]), { json: '[]', count: 0 });
});

test('a page ends before it becomes too large, but never before its first task', () => {
  const three = tasks(3);
  const one = JSON.stringify(toTask(three[0] ?? assert.fail())).length;

  assert.equal(jsonPage(three, 2 * one).count, 2);
  assert.equal(jsonPage(three, 2 * one - 1).count, 1);
  assert.equal(jsonPage(three, 1).count, 1);
});
