/**
 * Writers and readers whose every single store operation waits for its turn, in an order that is drawn at random: the
 * interleavings that two busy instances come to once in a month.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import mongoose from 'mongoose';
import { ChangesFeed } from '../../src/tasks/changes.ts';
import { taskModels } from '../../src/tasks/model.ts';
import { OwnedCollection } from '../../src/tasks/owned.ts';
import { TaskStore, type Session } from '../../src/tasks/store.ts';
import { startServer } from '../support/server.ts';

type Operation = (...args: unknown[]) => Promise<unknown>;
type Turn = (operation: () => Promise<unknown>) => Promise<unknown>;
interface Written {
  id: string;
  version: string;
  isDeletion: boolean;
}

/** Every operation of every store goes through `turn`; what was written to tasks is kept, in the order of the store. */
function takeTurns(t: TestContext): { turn: Turn; written: Written[] } {
  const control = { turn: (operation: () => Promise<unknown>) => operation(), written: [] as Written[] };
  const prototype = OwnedCollection.prototype as unknown as Record<string, Operation>;
  for (const name of ['find', 'findOne', 'insert', 'replace', 'update']) {
    const original = prototype[name];
    assert.ok(original);
    t.mock.method(prototype, name, function (this: unknown, ...args: unknown[]) {
      return control.turn(async () => {
        const result = await original.apply(this, args);
        const { _id, version, deletedAt } = (args.at(-1) ?? {}) as Record<string, unknown>;
        if (result === true && version instanceof mongoose.Types.ObjectId) {
          control.written.push({ id: String(_id), version: String(version), isDeletion: deletedAt !== undefined });
        }
        return result;
      });
    });
  }
  return control;
}

/** A client that polls, and knows which version of each task it holds. */
class Device {
  readonly replica = new Map<string, string>();
  #since: string | undefined;

  async poll(session: Session, limit: number): Promise<number> {
    let received = 0;
    for (let hasMore = true; hasMore;) {
      const changes = await new ChangesFeed(session).read(this.#since, limit);
      for (const { _id, version } of changes.changed) this.replica.set(String(_id), String(version));
      for (const id of changes.removed) this.replica.set(String(id), 'deleted');
      received += changes.changed.length + changes.removed.length;
      this.#since = changes.next;
      hasMore = changes.hasMore;
    }
    return received;
  }

  /** Fails when it holds something older than what was written before it asked. */
  assertNoOlder(before: readonly Written[], written: readonly Written[]): void {
    for (const { id, version } of before) {
      const held = this.replica.get(id);
      const isDeletedLater = written.some((other, i) => other.id === id && other.isDeletion && i >= indexOf(version));
      if (held === undefined || held === 'deleted') assert.ok(isDeletedLater, `${id} is missing`);
      else assert.ok(indexOf(held) >= indexOf(version), `${id} is older than it was`);
    }
    function indexOf(version: string): number {
      return written.findIndex((other) => other.version === version);
    }
  }
}

const ids = ['a', 'b', 'c'].map((digit) => digit.repeat(24));
const write = fc.record({ id: fc.constantFrom(...ids), isDeletion: fc.boolean() });
const scenario = {
  writers: fc.array(fc.array(write, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
  readers: fc.array(fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 3,
  }),
};

test('no order of store operations makes a reader miss a write', async (t) => {
  const { connection } = await startServer(t);
  const models = taskModels(connection);
  const control = takeTurns(t);
  let users = 0;

  await fc.assert(
    fc.asyncProperty(fc.scheduler(), scenario.writers, scenario.readers, async (scheduler, writers, readers) => {
      await connection.collection('tasks').deleteMany({});
      const session = { models, owner: `user-${(users += 1)}`, clock: Date, signal: AbortSignal.timeout(60_000) };
      const devices = readers.map(() => new Device());
      control.written = [];
      control.turn = (operation) => scheduler.scheduleFunction(operation)();

      const work = [
        ...writers.map(async (writes) => {
          for (const { id, isDeletion } of writes) {
            const store = new TaskStore(session);
            if (isDeletion) await store.remove(id).catch(() => undefined);
            else await store.replace(id, { text: 'Task', completed: false, date: undefined });
          }
        }),
        ...readers.map(async (polls, i) => {
          for (const limit of polls) {
            const before = [...control.written];
            await devices[i]?.poll(session, limit);
            devices[i]?.assertNoOlder(before, control.written);
          }
        }),
      ];
      await scheduler.waitFor(Promise.all(work));

      control.turn = (operation) => operation();
      const { tasks } = await new TaskStore(session).list(everything);
      const truth = tasks.map(({ _id, version }) => [String(_id), String(version)]).sort();
      for (const device of devices) {
        await device.poll(session, 1);
        assert.deepEqual([...device.replica].filter(([, version]) => version !== 'deleted').sort(), truth);
        assert.equal(await device.poll(session, 1), 0, 'it is not quiet');
      }
    }),
    { numRuns: 25 },
  );
});

const everything = {
  limit: 100,
  sort: { name: 'date', field: 'date', isDescending: false },
  completed: undefined,
  dueAfter: undefined,
  dueBefore: undefined,
  q: undefined,
  cursor: undefined,
} as const;
