/** The reference client against the server: many devices, a bad network, and one truth at the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Client } from '../support/client.ts';
import { movableClock } from '../support/clock.ts';
import { startServer } from '../support/server.ts';
import { SyncClient } from '../support/syncClient.ts';

type Fate = 'arrives' | 'request lost' | 'answer lost';

class NetworkError extends Error {}

/** Loses requests and answers as it is told. */
function badNetwork(client: Client, nextFate: () => Fate): Pick<Client, 'request'> {
  return {
    async request(...args) {
      const fate = nextFate();
      if (fate === 'request lost') throw new NetworkError();
      const response = await client.request(...args);
      if (fate === 'arrives') return response;
      await response.arrayBuffer();
      throw new NetworkError();
    },
  };
}

async function syncOrGiveUp(device: SyncClient): Promise<void> {
  await device.sync().catch((error: unknown) => {
    if (!(error instanceof NetworkError)) throw error;
  });
}

const step = fc.record({
  device: fc.nat({ max: 2 }),
  action: fc.constantFrom('create', 'change', 'complete', 'remove', 'sync', 'sync'),
  pick: fc.nat(),
});
const fate = fc.constantFrom<Fate>('arrives', 'arrives', 'arrives', 'request lost', 'answer lost');

test('devices that lose requests and answers end with what the server has, and nothing twice', async (t) => {
  const server = await startServer(t);
  const other = await startServer(t, server);
  let users = 0;

  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 25 }),
      fc.array(fate, { minLength: 5, maxLength: 40 }),
      async (steps, fates) => {
        users += 1;
        const clients = [server, other, server].map((instance) => instance.as(`user-${users}`));
        const left = [...fates];
        const devices = clients.map((client) => new SyncClient(badNetwork(client, () => left.pop() ?? 'arrives')));
        const created = new Set<string>();
        const removed = new Set<string>();
        const syncing = new Map<SyncClient, Promise<void>>();
        const settle = async (): Promise<void> => {
          await Promise.all(syncing.values());
          syncing.clear();
        };

        for (const [n, { device: i, action, pick }] of steps.entries()) {
          const device = devices[i];
          assert.ok(device);
          if (action === 'sync') {
            // Two devices at a time, but no device twice: an app has one loop.
            if (syncing.size === 2 || syncing.has(device)) await settle();
            syncing.set(device, syncOrGiveUp(device));
            if (pick % 2 === 0) await settle();
            continue;
          }
          await settle();
          edit(device, action, `Task ${n}`, pick, created, removed);
        }
        await settle();
        left.length = 0;
        for (const device of [...devices, ...devices]) await device.sync();

        const truth = await server.as(`user-${users}`).list('?limit=100&sort=createdAt');
        for (const device of devices) {
          assert.deepEqual(
            [...device.replica.values()].sort((a, b) => (a._id < b._id ? -1 : 1)),
            [...truth].sort((a, b) => (a._id < b._id ? -1 : 1)),
          );
          assert.deepEqual(device.outbox, []);
        }
        assert.equal(truth.length, created.size - removed.size);
      },
    ),
    { numRuns: 25 },
  );
});

/** Does what a user does on one device. Each task counts once, whatever its ids on the devices. */
function edit(
  device: SyncClient,
  action: 'create' | 'change' | 'complete' | 'remove',
  text: string,
  pick: number,
  created: Set<string>,
  removed: Set<string>,
): void {
  const known = [...device.tasks];
  const [id, task] = known[pick % Math.max(known.length, 1)] ?? [];
  if (action === 'create' || id === undefined) {
    created.add(text);
    device.create({ Text: text, date: '2026-12-24' });
  } else if (action === 'change') device.change(id, { date: `2026-12-${String((pick % 28) + 1).padStart(2, '0')}` });
  else if (action === 'complete') device.change(id, { completed: pick % 3 > 0 });
  else {
    removed.add(task?.Text ?? '');
    device.remove(id);
  }
}

test('a device whose first fetch is lost keeps nothing that is deleted before the next one', async (t) => {
  const { as } = await startServer(t);
  const alice = as('alice');
  const fates: Fate[] = ['arrives', 'request lost'];
  const device = new SyncClient(badNetwork(alice, () => fates.shift() ?? 'arrives'));
  device.create({ Text: 'Buy milk' });
  await syncOrGiveUp(device);
  const [id = ''] = device.replica.keys();

  await alice.delete(`/api/tasks/${id}`);
  await device.sync();

  assert.deepEqual([...device.replica], []);
});

test('changes to different members of one task, made offline on two devices, are both kept', async (t) => {
  const { as } = await startServer(t);
  const [phone, tablet] = [new SyncClient(as('alice')), new SyncClient(as('alice'))];
  const id = phone.create({ Text: 'Buy milk', date: '2026-12-24' });
  await phone.sync();
  await tablet.sync();
  const [serverId = ''] = [...tablet.replica.keys()];

  phone.change(id, { completed: true });
  tablet.change(serverId, { Text: 'Buy oat milk' });
  await Promise.all([phone.sync(), tablet.sync()]);
  await phone.sync();
  await tablet.sync();

  const [task] = await as('alice').list();
  assert.deepEqual([task?.Text, task?.completed], ['Buy oat milk', true]);
  assert.deepEqual([...phone.replica.values()], [task]);
  assert.deepEqual([...tablet.replica.values()], [task]);
});

test('a device that was off for two months starts again and loses nothing of its own', async (t) => {
  const clock = movableClock();
  const { as } = await startServer(t, { clock });
  // The token is renewed as an app would; the device keeps what it has.
  const device = new SyncClient({ request: (...args) => as('alice').request(...args) });
  await as('alice').create({ Text: 'Kept' });
  const gone = await as('alice').create({ Text: 'Deleted elsewhere' });
  await device.sync();

  clock.advance(60 * 24 * 3_600_000);
  await as('alice').delete(`/api/tasks/${gone._id}`);
  device.create({ Text: 'Written offline' });
  await device.sync();

  const texts = [...device.replica.values()].map(({ Text }) => Text);
  assert.deepEqual(texts.sort(), ['Kept', 'Written offline']);
});
