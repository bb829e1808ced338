import assert from 'node:assert/strict';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect as connectSocket, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { deserialize, type Document, serialize } from 'bson';
import fc from 'fast-check';
import { startEmbeddedStore } from '../../../src/local/store/index.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { connect, countOf, openStore } from './store.ts';

const OP_QUERY = 2004;
const OP_MSG = 2013;

function header(length: number, opCode: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(length, 0);
  bytes.writeInt32LE(7, 4);
  bytes.writeInt32LE(opCode, 12);
  return bytes;
}

/** An OP_MSG with these sections behind its flags. */
function message(flags: number, ...sections: Uint8Array[]): Buffer {
  const content = Buffer.concat([Buffer.alloc(4), ...sections]);
  content.writeUInt32LE(flags, 0);
  return Buffer.concat([header(16 + content.length, OP_MSG), content]);
}

function body(document: Document): Buffer {
  return Buffer.concat([Buffer.of(0), serialize(document)]);
}

function sequence(name: string, ...documents: Document[]): Buffer {
  const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents.map((each) => serialize(each))]);
  const size = Buffer.alloc(4);
  size.writeInt32LE(4 + content.length);
  return Buffer.concat([Buffer.of(1), size, content]);
}

function pathOf(uri: string): string {
  return decodeURIComponent(uri.slice('mongodb://'.length, -1));
}

async function openSocket(t: TestContext, uri: string): Promise<Socket> {
  const socket = connectSocket(pathOf(uri));
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends a message and reads the document that answers it. */
async function ask(socket: Socket, bytes: Buffer): Promise<Document> {
  socket.write(bytes);
  const [reply] = (await once(socket, 'data')) as [Buffer];
  assert.equal(reply.readInt32LE(8), 7, 'it answers our request');
  return deserialize(reply.subarray(reply.readInt32LE(12) === OP_MSG ? 21 : 36));
}

test('the old handshake is answered, and nothing else in that form', async (t) => {
  const { uri } = await openStore(t);
  const socket = await openSocket(t, uri);
  const query = (command: Document) => {
    const content = Buffer.concat([Buffer.alloc(4), Buffer.from('admin.$cmd\0'), Buffer.alloc(8), serialize(command)]);
    return Buffer.concat([header(16 + content.length, OP_QUERY), content]);
  };

  const hello = await ask(socket, query({ ismaster: 1, helloOk: true }));
  const refused = await ask(socket, query({ find: 'things' }));

  assert.deepEqual([hello['ismaster'], hello['ok'], hello['maxWireVersion']], [true, 1, 21]);
  assert.equal(refused['code'], 352);
});

test('documents may come as a sequence beside the command, before or after it', async (t) => {
  const { uri, collection } = await openStore(t);
  const socket = await openSocket(t, uri);
  const documents = sequence('documents', { _id: 1 }, { _id: 2 });
  const command = body({ insert: 'things', $db: 'test' });
  const updates = sequence(
    'updates',
    { q: { _id: 1 }, u: { $set: { a: 1 } } },
    { q: {}, u: { $set: { b: 1 } }, multi: true },
  );

  assert.deepEqual(await ask(socket, message(0, documents, command)), { n: 2, ok: 1 });
  assert.deepEqual(await ask(socket, message(0, body({ update: 'things', $db: 'test' }), updates)), {
    n: 3,
    nModified: 3,
    ok: 1,
  });

  assert.deepEqual(await collection.find().toArray(), [
    { _id: 1, a: 1, b: 1 },
    { _id: 2, b: 1 },
  ]);
});

test('commands sent without waiting are answered in their order', async (t) => {
  const { uri } = await openStore(t);
  const socket = await openSocket(t, uri);
  const write = message(0, body({ insert: 'things', documents: [{ a: 1 }], $db: 'test' }));
  const remove = message(0, body({ delete: 'things', deletes: [{ q: {}, limit: 0 }], $db: 'test' }));

  // In pieces, cut where no message ends.
  const all = Buffer.concat([write, write, remove, write, remove]);
  socket.write(all.subarray(0, 3));
  socket.write(all.subarray(3, write.length + 10));
  socket.write(all.subarray(write.length + 10));

  const counts: number[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += chunk.readInt32LE(at)) {
      const { n } = deserialize(chunk.subarray(at + 21, at + chunk.readInt32LE(at))) as { n: number };
      counts.push(n);
    }
    if (counts.length === 5) break;
  }
  assert.deepEqual(counts, [1, 1, 2, 1, 1]);
});

const garbage: Record<string, Buffer> = {
  'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  'a message of no length': header(0, OP_MSG),
  'a message of negative length': header(-1, OP_MSG),
  'a message of 48 MB and more': header(48_000_001, OP_MSG),
  'an unknown opcode': Buffer.concat([header(20, 2010), Buffer.alloc(4)]),
  'a compressed message': Buffer.concat([header(25, 2012), Buffer.alloc(9)]),
  'a message without a section': message(0),
  'an unknown section': message(0, Buffer.concat([Buffer.of(2), serialize({})])),
  'two bodies': message(0, body({ ping: 1 }), body({ ping: 1 })),
  'a flag that has to be understood': message(4, body({ ping: 1 })),
  'a checksum, which no driver sends': message(1, body({ ping: 1 }), Buffer.alloc(4)),
  'a body longer than its message': message(0, Buffer.of(0, 255, 0, 0, 0, 0)),
  'a query cut short': Buffer.concat([header(18, OP_QUERY), Buffer.alloc(2)]),
};
for (const [name, bytes] of Object.entries(garbage)) {
  test(`${name} closes that connection and no other`, async (t) => {
    const { uri, collection } = await openStore(t);
    const socket = await openSocket(t, uri);

    socket.write(bytes);
    await once(socket, 'close');

    await collection.insertOne({ a: 1 });
  });
}

test('invalid BSON in a sound message is refused, and the connection goes on', async (t) => {
  const { uri } = await openStore(t);
  const socket = await openSocket(t, uri);
  const broken = serialize({ insert: 'things', documents: [{ a: 'text' }], $db: 'test' });
  broken[broken.lastIndexOf(2)] = 0x77; // no type has this number
  const badText = serialize({ insert: 'things', documents: [{ a: 'text' }], $db: 'test' });
  badText[Buffer.from(badText).indexOf('text')] = 0xff; // no UTF-8

  const [first, second] = [
    await ask(socket, message(0, Buffer.concat([Buffer.of(0), broken]))),
    await ask(socket, message(0, Buffer.concat([Buffer.of(0), badText]))),
  ];

  assert.deepEqual([first['ok'], first['code'], second['ok'], second['code']], [0, 22, 0, 22]);
  assert.deepEqual(await ask(socket, message(0, body({ ping: 1, $db: 'admin' }))), { ok: 1 });
});

test('documents nested too deep are refused without harm', async (t) => {
  const { uri, collection } = await openStore(t);
  const socket = await openSocket(t, uri);
  const depth = 200_000;
  const nested = Buffer.alloc(5 + depth * 8);
  for (let level = 0; level <= depth; level++) {
    nested.writeInt32LE(nested.length - level * 8, level * 7);
    if (level < depth) nested.set([3, 0x61, 0], level * 7 + 4);
  }
  const insert = Buffer.concat([sequence('documents'), nested]);
  insert.writeInt32LE(insert.length - 1, 1);

  const reply = await ask(socket, message(0, body({ insert: 'things', $db: 'test' }), insert));

  const [failed] = reply['writeErrors'] as Document[];
  assert.deepEqual([reply['n'], failed?.['code']], [0, 15]);
  assert.equal(await countOf(collection), 0);
});

test('random bytes never end the process', async (t) => {
  const { uri, collection } = await openStore(t);
  const start = message(0, body({ find: 'things', filter: { a: 1 }, $db: 'test' }));

  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.nat(start.length - 1), async (noise, at) => {
      const bytes = Buffer.from(start);
      bytes.set(noise.subarray(0, bytes.length - at), at);
      const socket = await openSocket(t, uri);
      socket.end(bytes);
      socket.resume();
      await once(socket, 'close');
    }),
    { numRuns: 60, seed: 20_261_124 },
  );

  await collection.insertOne({ a: 1 });
  assert.equal(await countOf(collection), 1);
});

test('a document of 16 MiB is kept, one byte more is refused', async (t) => {
  const { client } = await openStore(t);
  const large = client.db('test').collection('large');
  const limit = 16 * 1024 * 1024;
  const around = serialize({ _id: 1, text: '' }).length;

  await large.insertOne({ _id: 1 as never, text: 'x'.repeat(limit - around) });
  await assert.rejects(large.insertOne({ _id: 2 as never, text: 'x'.repeat(limit - around + 1) }), { code: 10334 });
  await assert.rejects(large.updateOne({}, { $set: { more: 1 } }), { code: 10334 });

  assert.equal(String((await large.findOne())?.['text']).length, limit - around);
});

test('nobody but its user can open the socket, which goes away with the store', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await startEmbeddedStore({ directory: join(directory, 'new') });
  const path = pathOf(store.uri);

  assert.equal(path, join(directory, 'new', 'store.sock'));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(directory, 'new'))).mode & 0o777, 0o700);
  assert.equal((await stat(join(directory, 'new', 'store.sqlite'))).mode & 0o777, 0o600);
  await store.close();
  await assert.rejects(stat(path), { code: 'ENOENT' });
});

test('a directory whose name is too long for a socket has one elsewhere, as private', async (t) => {
  const directory = join(await temporaryDirectory(t), 'a directory '.repeat(10).trim());
  const store = await startEmbeddedStore({ directory });
  t.after(() => store.close());
  const client = await connect(t, store.uri);

  await client.db('test').collection('things').insertOne({ a: 1 });

  const path = pathOf(store.uri);
  assert.ok(!path.startsWith(directory));
  assert.equal((await stat(join(path, '..'))).mode & 0o777, 0o700);
});

test('a directory with spaces, quotes and umlauts works as any other', async (t) => {
  const directory = join(await temporaryDirectory(t), "Jörg's tasks % #1?");
  const store = await startEmbeddedStore({ directory });
  t.after(() => store.close());

  const client = await connect(t, store.uri);

  assert.deepEqual(await client.db('test').command({ ping: 1 }), { ok: 1 });
});

test('closing ends every connection, may be repeated, and waits for no client', async (t) => {
  const store = await startEmbeddedStore({ directory: await temporaryDirectory(t) });
  const socket = await openSocket(t, store.uri);
  socket.write(message(0, body({ ping: 1, $db: 'admin' })).subarray(0, 20)); // half a message
  const closed = new Promise((resolve) => socket.once('close', resolve));

  await Promise.all([store.close(), store.close()]);
  await store.close();

  await closed;
});
