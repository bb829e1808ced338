/**
 * Writers and readers whose every single store operation waits for its turn, in an order that is drawn at random: the
 * interleavings that two busy instances meet once a month.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import mongoose, { type Connection } from 'mongoose';
import { readConditions } from '../../src/http/conditional.ts';
import { ChangesFeed } from '../../src/tasks/changes.ts';
import { taskModels } from '../../src/tasks/model.ts';
import { OwnedCollection } from '../../src/tasks/owned.ts';
import { type Session, TaskStore } from '../../src/tasks/store.ts';
import { startServer } from '../support/server.ts';

type Operation = (...args: unknown[]) => Promise<unknown>;
type Turn = (operation: () => Promise<unknown>, name: string) => Promise<unknown>;
interface Written {
  id: string;
  version: string;
  isDeletion: boolean;
}

/** Every operation of every store goes through `turn`; what was written to tasks is kept, in the order of the store. */
function takeTurns(t: TestContext): { turn: Turn; written: Written[] } {
  const control: { turn: Turn; written: Written[] } = { turn: atOnce, written: [] };
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
      }, name);
    });
  }
  return control;
}

const atOnce: Turn = (operation) => operation();

/** Holds back the next hand-out of a number until `letGo` is called. */
function holdHandOut(control: { turn: Turn }): { held: Promise<void>; letGo: () => void } {
  const held = Promise.withResolvers<undefined>();
  const gate = Promise.withResolvers<undefined>();
  control.turn = async (operation, name) => {
    if (name !== 'update') return await operation();
    control.turn = atOnce;
    held.resolve(undefined);
    await gate.promise;
    return await operation();
  };
  return {
    held: held.promise,
    letGo: () => {
      gate.resolve(undefined);
    },
  };
}

/** A client that polls, and knows which version of each task it holds. */
class Device {
  readonly replica = new Map<string, string>();
  #since: string | undefined;

  /** @param batch few states for each number, so that there is more to number than one batch takes. */
  async poll(session: Session, limit: number, batch: number): Promise<number> {
    let all = 0;
    for (let hasMore = true; hasMore;) {
      const answer = await this.request(session, limit, batch);
      all += answer.received;
      hasMore = answer.hasMore;
    }
    return all;
  }

  async request(session: Session, limit: number, batch: number): Promise<{ received: number; hasMore: boolean }> {
    const { changed, removed, next, hasMore } = await new ChangesFeed(session, { batch, maxNumbers: 2 }).read(
      this.#since,
      limit,
    );
    for (const { _id, version } of changed) this.replica.set(String(_id), String(version));
    for (const id of removed) this.replica.set(String(id), 'deleted');
    this.#since = next;
    return { received: changed.length + removed.length, hasMore };
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

const TASK = { texts: ['Task'], dues: [], details: {} };
const ALWAYS = readConditions({});
/** Nobody is erased here. */
const life = { begin: () => Promise.resolve(() => Promise.resolve(true)) };

function sessionOf(connection: Connection, owner: string): Session {
  const signal = AbortSignal.timeout(60_000);
  return { models: taskModels(connection), owner, clock: Date, signal, life, extend: () => undefined };
}

const ids = ['a', 'b', 'c', 'd', 'e'].map((digit) => digit.repeat(24));
const write = fc.record({ id: fc.constantFrom(...ids), isDeletion: fc.boolean() });
const scenario = fc.record({
  writers: fc.array(fc.array(write, { minLength: 3, maxLength: 4 }), { minLength: 2, maxLength: 3 }),
  readers: fc.array(fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 3, maxLength: 3 }), {
    minLength: 2,
    maxLength: 3,
  }),
  batch: fc.constantFrom(1, 2, 1000),
});

test('no order of store operations makes a reader miss a write', async (t) => {
  const { connection } = await startServer(t);
  const control = takeTurns(t);
  let users = 0;

  await fc.assert(
    fc.asyncProperty(fc.scheduler(), scenario, async (scheduler, { writers, readers, batch }) => {
      await connection.collection('tasks').deleteMany({});
      const session = sessionOf(connection, `user-${(users += 1)}`);
      const devices = readers.map(() => new Device());
      control.written = [];
      control.turn = (operation) => scheduler.scheduleFunction(operation)();

      const work = [
        ...writers.map(async (writes) => {
          for (const { id, isDeletion } of writes) {
            const store = new TaskStore(session);
            if (isDeletion) await store.remove(id, ALWAYS).catch(() => undefined);
            else await store.replace(id, TASK, ALWAYS);
          }
        }),
        ...readers.map(async (polls, i) => {
          for (const limit of polls) {
            const before = [...control.written];
            await devices[i]?.poll(session, limit, batch);
            devices[i]?.assertNoOlder(before, control.written);
          }
        }),
      ];
      await scheduler.waitFor(Promise.all(work));

      control.turn = atOnce;
      const { page } = await new TaskStore(session).list(everything);
      const truth = page.tasks.map(({ _id, version }) => [String(_id), String(version)]).sort();
      for (const device of devices) {
        await device.poll(session, 1, batch);
        assert.deepEqual([...device.replica].filter(([, version]) => version !== 'deleted').sort(), truth);
        assert.equal(await device.poll(session, 1, batch), 0, 'it is not quiet');
      }
    }),
    { numRuns: 20 },
  );
});

test('a reader that is slow to hand out a number hides no task from others', async (t) => {
  const { connection } = await startServer(t);
  const control = takeTurns(t);
  const session = sessionOf(connection, 'alice');
  const store = new TaskStore(session);
  const [a = '', b = '', c = ''] = ids;
  const [slow, quick] = [new Device(), new Device()];
  await quick.poll(session, 100, 1);

  await store.replace(c, TASK, ALWAYS);
  const { held, letGo } = holdHandOut(control);
  const slowPoll = slow.poll(session, 100, 1);
  await held;
  // More than the quick reader can number at once, and all of it comes before what the slow one holds.
  await store.replace(a, TASK, ALWAYS);
  await store.replace(b, TASK, ALWAYS);
  await quick.poll(session, 100, 1);
  await store.patch(c, { texts: [], dues: [], details: { completed: true } }, ALWAYS);
  letGo();
  await slowPoll;

  for (const device of [quick, slow]) {
    await device.poll(session, 100, 1);
    for (const id of [a, b, c]) {
      const { version } = await store.get(id);
      assert.equal(device.replica.get(id), String(version));
    }
  }
});

test('a number that a reader recorded but did not hand out is handed out by the next one', async (t) => {
  const { connection } = await startServer(t);
  const control = takeTurns(t);
  const session = sessionOf(connection, 'alice');
  const store = new TaskStore(session);
  const [a = '', b = '', c = '', d = ''] = ids;
  const device = new Device();
  await device.poll(session, 100, 1);

  await store.replace(d, TASK, ALWAYS);
  const { held, letGo } = holdHandOut(control);
  const late = new Device().poll(session, 100, 1);
  await held;
  for (const id of [a, b, c]) await store.replace(id, TASK, ALWAYS);
  // Only one request of the device, which numbers two of the four by itself.
  const { hasMore } = await device.request(session, 100, 1);
  letGo();
  await late;

  assert.equal(hasMore, true);
  await device.poll(session, 100, 1);
  assert.deepEqual([...device.replica.keys()].sort(), [a, b, c, d]);
});

const everything = {
  limit: 100,
  sort: { name: 'date', field: 'date', isDescending: false },
  where: {},
  q: undefined,
  cursor: undefined,
} as const;
