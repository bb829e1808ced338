import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { storeKinds, testDatabase } from '../support/database.ts';
import { startServer } from '../support/server.ts';
import { proxyStore } from '../support/tcpProxy.ts';
import { until } from '../support/until.ts';
import { openReady } from './support.ts';

// These wait for real heartbeats, some seconds each, so they wait together.
describe('readiness', { concurrency: true }, () => {
  test('it names the store, and liveness does not depend on it', async (t) => {
    const proxy = await proxyStore(t, (await testDatabase(t, { isPatient: false })).uri);
    const { anonymous, database } = await startServer(t, { uri: proxy.uri });

    await proxy.refuse();
    await until(() => !database.isReady());
    const ready = await anonymous.get('/readyz');
    const alive = await anonymous.get('/healthz');
    await proxy.resume();
    await until(() => database.isReady());

    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /store/);
    assert.equal(alive.status, 200);
    assert.equal((await anonymous.get('/readyz')).status, 200);
  });

  for (const [kind, freshDatabase] of Object.entries(storeKinds)) {
    test(`it follows ${kind} that goes and comes back, and no restart is needed`, async (t) => {
      const proxy = await proxyStore(t, (await freshDatabase(t)).uri);
      const { database, notes, lines } = await openReady(t, proxy.uri);

      await proxy.refuse();
      await until(() => !database.isReady());
      await proxy.resume();
      await until(() => database.isReady());

      assert.deepEqual(await notes.find({ owner: 'alice' }).lean(), []);
      const story = lines.map(({ level, message }) => `${level}: ${message}`);
      assert.deepEqual(
        // A slow machine may need a second try to connect at all.
        story.filter((line) => line !== 'warn: store cannot be reached'),
        ['info: store ready', 'error: store not ready', 'info: store ready'],
      );
    });

    test(`it follows ${kind} that hangs`, async (t) => {
      const proxy = await proxyStore(t, (await freshDatabase(t)).uri);
      const { database } = await openReady(t, proxy.uri);

      proxy.stall();
      await until(() => !database.isReady());
      await proxy.resume();
      await until(() => database.isReady());
    });
  }
});
