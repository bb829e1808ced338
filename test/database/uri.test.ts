import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { getServers, setServers } from 'node:dns';
import { once } from 'node:events';
import { test } from 'node:test';
import type { CommandStartedEvent } from 'mongodb';
import { StoreStartError } from '../../src/database/store.ts';
import { startRefusingServer } from '../support/refusingServer.ts';
import { openDatabase, openReady, refusedWithin } from './support.ts';

const unusable = {
  'has a password that is not encoded': 'mongodb://alice:hunter2/x@127.0.0.1/tasks',
  'has a user that is not encoded': 'mongodb://alice@home:hunter2@127.0.0.1/tasks',
  'is not well encoded': 'mongodb://alice:hunter2%zz@127.0.0.1/tasks',
  'has the password in place of the host': 'mongodb://alice:hunter2',
  'names no host': 'mongodb://alice:hunter2@/tasks',
  'has a bad port': 'mongodb://alice:hunter2@127.0.0.1:99999/tasks',
  'has an option that does not exist': 'mongodb://alice:hunter2@127.0.0.1/tasks?retryWirtes=true',
  'has a dot in the name of the database': 'mongodb://alice:hunter2@127.0.0.1/tasks.mine',
  'gives away durability': 'mongodb://alice:hunter2@127.0.0.1/tasks?j=false',
};

for (const [reason, uri] of Object.entries(unusable)) {
  test(`a URI that ${reason} stops the start, and its password is not shown`, async (t) => {
    await assert.rejects(openDatabase(t, uri), (error) => {
      assert.ok(error instanceof StoreStartError);
      assert.match(error.message, /^MONGODB_URI /);
      assert.doesNotMatch(String(error.stack), /hunter2|alice/);
      return true;
    });
  });
}

test('the database is tasklist unless the URI names another', async (t) => {
  const uri = await startRefusingServer(t, {});

  const unnamed = await openReady(t, uri);
  const named = await openReady(t, `${uri}groceries?maxPoolSize=3`);

  assert.equal(unnamed.database.connection.name, 'tasklist');
  assert.equal(named.database.connection.name, 'groceries');
  assert.equal(named.database.connection.getClient().options.maxPoolSize, 3);
});

test('writes are acknowledged by a majority and journaled, whatever the URI says', async (t) => {
  const uri = await startRefusingServer(t, {});
  const { database, notes } = await openReady(t, `${uri}?w=1&readConcernLevel=local&monitorCommands=true`);
  const sent: CommandStartedEvent[] = [];
  database.connection.getClient().on('commandStarted', (event) => sent.push(event));

  await notes.collection.insertOne({ owner: 'alice' });
  await notes.updateMany({ owner: 'alice' }, { $set: { number: 1 } });
  await notes.deleteMany({ owner: 'alice' });
  await notes
    .find({ owner: 'alice' })
    .exec()
    .catch(() => []);

  const commands = new Map(sent.map(({ commandName, command }) => [commandName, command]));
  for (const name of ['insert', 'update', 'delete']) {
    assert.deepEqual(commands.get(name)?.['writeConcern'], { w: 'majority', j: true, wtimeout: 2000 }, name);
  }
  assert.equal(JSON.stringify(commands.get('find')?.['readConcern']), '{"level":"majority"}');
});

test('closing does not wait for a driver that is still looking up its server', async (t) => {
  // Nobody answers at this address of a name server, and the driver goes on asking for half a minute.
  const silent = createSocket('udp4');
  silent.bind(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const servers = getServers();
  setServers([`127.0.0.1:${silent.address().port}`]);
  t.after(() => {
    setServers(servers);
  });
  const { database } = await openDatabase(t, 'mongodb+srv://cluster.example.com/');
  await once(silent, 'message');

  const outcome = await refusedWithin(3000, database.close());

  assert.equal((outcome as Error).message, 'it succeeded');
});
