/** One person's tasks given to another, while both use them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import mongoose from 'mongoose';
import { erasePerson } from '../../src/people/erasure.ts';
import { movePerson } from '../../src/people/move.ts';
import { type Client, expectProblem } from '../support/client.ts';
import { Device } from '../support/device.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const move = async ({ connection }: TestServer, from: string, to: string) =>
  await movePerson(connection, from, to, new Date());

describe('a move', () => {
  test('gives all tasks to another person, and the devices of both hear of it', async (t) => {
    const server = await startServer(t);
    const [old, young] = [server.as('old'), server.as('new')];
    const [phone, tablet] = [new Device(), new Device()];
    for (const Text of ['a', 'b', 'c']) await old.create({ Text });
    const { _id: gone } = await old.create({ Text: 'deleted' });
    await young.create({ Text: 'mine' });
    await phone.sync(old, 7);
    await tablet.sync(young, 7);
    await old.delete(`/api/tasks/${gone}`);

    const moved = await move(server, 'old', 'new');
    await phone.sync(old, 7);
    await tablet.sync(young, 7);

    assert.equal(moved.tasks, 3);
    assert.deepEqual(phone.texts, []);
    assert.deepEqual(tablet.texts, ['a', 'b', 'c', 'mine']);
    assert.deepEqual((await young.list()).map(({ Text }) => Text).sort(), ['a', 'b', 'c', 'mine']);
    assert.deepEqual(await old.list(), []);
    assert.deepEqual(await move(server, 'old', 'new'), { tasks: 0, creations: 0 });
  });

  test('takes more than a batch, to someone who has not called yet', async (t) => {
    const server = await startServer(t);
    await server.as('old').get('/api/me');
    const tasks = Array.from({ length: 450 }, (_, i) => ({ owner: 'old', Text: `Task ${i}` }));
    await server.connection.collection('tasks').insertMany(tasks);

    const moved = await move(server, 'old', 'new');

    assert.equal(moved.tasks, 450);
    assert.equal(await server.connection.collection('tasks').countDocuments({ owner: 'new', deletedAt: null }), 450);
    const users = await server.connection.collection('users').find({}).toArray();
    assert.deepEqual(
      users.map(({ oid, name }) => [oid as string, name as string]),
      [['new', 'old']],
    );
  });

  test('takes idempotency keys along', async (t) => {
    const server = await startServer(t);
    const headers = { 'Idempotency-Key': 'key' };
    const first = await server.as('old').post('/api/tasks', { Text: 'made once' }, headers);

    await move(server, 'old', 'new');
    const again = await server.as('new').post('/api/tasks', { Text: 'made once' }, headers);

    assert.equal(await server.connection.collection('creations').countDocuments({ owner: 'old' }), 0);
    assert.equal(again.status, 201);
    assert.deepEqual(await again.json(), await first.json());
    assert.equal((await server.as('new').list()).length, 1);
  });

  test('makes one task of a POST that the giver repeats meanwhile', async (t) => {
    const server = await startServer(t);
    const tasks = server.connection.collection('tasks');
    const headers = { 'Idempotency-Key': 'key' };
    const post = async (): Promise<number> =>
      (await server.as('old').post('/api/tasks', { Text: 'made once' }, headers)).status;
    const first = await post();

    const moving = move(server, 'old', 'new');
    await until(async () => (await tasks.findOne({ owner: 'new', Text: 'made once' })) !== null);
    const again = await post();
    const moved = await moving;

    assert.deepEqual([first, again, moved], [201, 201, { tasks: 1, creations: 1 }]);
    assert.equal((await server.as('new').list()).length, 1);
  });

  test('can be undone, and the tasks are there again for those who had them', async (t) => {
    const server = await startServer(t);
    const phone = new Device();
    await server.as('old').create({ Text: 'a' });
    await phone.sync(server.as('old'), 7);
    await move(server, 'old', 'new');

    await move(server, 'new', 'old');
    await phone.sync(server.as('old'), 7);
    const late = new Device();
    await late.sync(server.as('old'));

    assert.deepEqual(phone.texts, ['a']);
    assert.deepEqual(late.texts, ['a']);
  });

  test('that was interrupted tells of no task before it has arrived, and of each when it is run again', async (t) => {
    const server = await startServer(t);
    const [old, tasks] = [server.as('old'), server.connection.collection('tasks')];
    const phone = new Device();
    const [arrived, stayed] = [await old.create({ Text: 'arrived' }), await old.create({ Text: 'stayed' })];
    await phone.sync(old);
    for (const { _id } of [arrived, stayed]) {
      const prepared = { owner: 'old', deletedAt: new Date(), seq: 0, gone: new mongoose.mongo.ObjectId(_id) };
      await tasks.insertOne({ ...prepared, version: new mongoose.mongo.ObjectId() });
    }
    await tasks.updateOne({ Text: 'arrived' }, { $set: { owner: 'new' }, $unset: { seq: 1 } });

    await phone.sync(old);
    const late = new Device();
    await late.sync(old);
    const before = [phone.texts, late.texts];
    await move(server, 'old', 'new');
    for (const device of [phone, late]) await device.sync(old);

    assert.deepEqual(before, [['arrived', 'stayed'], ['stayed']]);
    assert.deepEqual([phone.texts, late.texts], [[], []]);
    assert.deepEqual((await server.as('new').list()).map(({ Text }) => Text).sort(), ['arrived', 'stayed']);
  });

  test('leaves the id of a moved task taken, and a late write of the giver finds nothing', async (t) => {
    const server = await startServer(t);
    const { _id } = await server.as('old').create({ Text: 'a' });

    await move(server, 'old', 'new');

    await expectProblem(await server.as('old').patch(`/api/tasks/${_id}`, { Text: 'b' }), 404, 'TaskNotFound');
    await expectProblem(await server.as('old').put(`/api/tasks/${_id}`, { Text: 'b' }), 409, 'TaskExists');
    assert.equal((await server.as('new').list())[0]?.Text, 'a');
  });

  test('leaves nothing of a giver whom no one knew and who is erased meanwhile', async (t) => {
    const { connection } = await startServer(t);
    const tasks = Array.from({ length: 600 }, (_, i) => ({ owner: 'old', Text: `Task ${i}` }));
    await connection.collection('tasks').insertMany(tasks);

    await Promise.all([movePerson(connection, 'old', 'new', new Date()), erasePerson(connection, 'old', new Date())]);

    assert.equal(await connection.collection('tasks').countDocuments({ owner: 'old' }), 0);
    assert.equal(await connection.collection('users').countDocuments({ oid: 'old' }), 0);
  });

  test('to somebody who is erased meanwhile loses nothing but what had arrived', async (t) => {
    const { connection } = await startServer(t);
    const tasks = Array.from({ length: 600 }, (_, i) => ({ owner: 'old', Text: `Task ${i}` }));
    await connection.collection('tasks').insertMany(tasks);

    const [moved, erased] = await Promise.allSettled([
      movePerson(connection, 'old', 'new', new Date()),
      erasePerson(connection, 'new', new Date()),
    ]);

    if (moved.status === 'rejected') assert.match(String(moved.reason), /new is being erased: run the command again/);
    assert.ok(erased.status === 'fulfilled');
    const left = await connection.collection('tasks').countDocuments({ deletedAt: null });
    assert.equal(left + erased.value.tasks, 600);
  });

  test('loses and duplicates nothing while both write and sync', async (t) => {
    const server = await startServer(t);
    const [old, young] = [server.as('old'), server.as('new')];
    const [phone, tablet] = [new Device(), new Device()];
    const created: string[] = [];
    for (let i = 0; i < 30; i += 1) created.push((await old.create({ Text: `early ${i}` })).Text);
    let isOver = false;
    const write = async (client: Client, name: string): Promise<void> => {
      for (let i = 0; !isOver; i += 1) {
        const response = await client.post(
          '/api/tasks',
          { Text: `${name} ${i}` },
          { 'Idempotency-Key': `${name} ${i}` },
        );
        if (response.status === 201) created.push(`${name} ${i}`);
      }
    };
    const follow = async (device: Device, client: Client): Promise<void> => {
      while (!isOver) await device.sync(client, 7);
    };
    const busy = [write(old, 'old'), write(young, 'new'), follow(phone, old), follow(tablet, young)];

    await Promise.all([move(server, 'old', 'new'), move(server, 'old', 'new')]);
    isOver = true;
    await Promise.all(busy);
    await move(server, 'old', 'new');
    await phone.sync(old, 7);
    await tablet.sync(young, 7);

    const texts = (await server.connection.collection('tasks').find({ owner: 'new', deletedAt: null }).toArray()).map(
      ({ Text }) => Text as string,
    );
    assert.deepEqual(texts.sort(), [...created].sort());
    assert.deepEqual(tablet.texts, texts);
    assert.deepEqual(phone.texts, []);
  });
});
