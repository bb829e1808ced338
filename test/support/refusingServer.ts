import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { deserialize, type Document, serialize } from 'bson';

/** Answers by command name; `silence` answers nothing. A command that is not named is answered with `{ ok: 1 }`. */
export type Answers = Readonly<Record<string, Document | typeof silence>>;

export const silence = Symbol('silence');

/**
 * A server that speaks just enough of the MongoDB wire protocol to refuse: for errors that a healthy store cannot be
 * made to give. Resolves to the `mongodb://` URI; closes with the test.
 */
export async function startRefusingServer(t: Pick<TestContext, 'after'>, answers: Answers): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket, answers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** An error answer, as a server sends it. */
export function refusal(code: number, codeName: string): Document {
  return { ok: 0, code, codeName, errmsg: `refused: ${codeName}` };
}

const HELLO = {
  ok: 1,
  isWritablePrimary: true,
  helloOk: true,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  minWireVersion: 0,
  maxWireVersion: 21,
};

const HEADER_BYTES = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

function serve(socket: Socket, answers: Answers): void {
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= HEADER_BYTES && received.length >= received.readInt32LE(0)) {
      const length = received.readInt32LE(0);
      const answer = reply(received.subarray(0, length), answers);
      if (answer !== undefined) socket.write(answer);
      received = received.subarray(length);
    }
  });
}

function reply(message: Buffer, answers: Answers): Buffer | undefined {
  const requestId = message.readInt32LE(4);
  const isQuery = message.readInt32LE(12) === OP_QUERY;
  const name = Object.keys(
    deserialize(message.subarray(isQuery ? endOfQueryHead(message) : HEADER_BYTES + 5), {
      allowObjectSmallerThanBufferSize: true,
    }),
  )[0];
  const isHello = name === 'hello' || name === 'ismaster';
  const answer = isHello ? HELLO : (answers[name ?? ''] ?? { ok: 1 });
  if (answer === silence) return undefined;
  const body = Buffer.from(serialize(answer as Document));
  const head = isQuery ? replyHead() : Buffer.alloc(5);
  return Buffer.concat([
    header(HEADER_BYTES + head.length + body.length, requestId, isQuery ? OP_REPLY : OP_MSG),
    head,
    body,
  ]);
}

/** OP_QUERY: flags, the collection's name up to a NUL, two numbers, then the document. */
function endOfQueryHead(message: Buffer): number {
  return message.indexOf(0, HEADER_BYTES + 4) + 1 + 8;
}

function header(length: number, responseTo: number, opCode: number): Buffer {
  const buffer = Buffer.alloc(HEADER_BYTES);
  buffer.writeInt32LE(length, 0);
  buffer.writeInt32LE(responseTo, 8);
  buffer.writeInt32LE(opCode, 12);
  return buffer;
}

/** OP_REPLY: flags, cursor and offset are zero, one document. */
function replyHead(): Buffer {
  const buffer = Buffer.alloc(20);
  buffer.writeInt32LE(1, 16);
  return buffer;
}
