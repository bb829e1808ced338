import { type Doc, MAX_DOCUMENT_BYTES } from '../documents.ts';
import { MAX_MESSAGE_BYTES } from '../wire.ts';
import type { Command, Engine, Request } from './command.ts';

/** Commands about the connection. The store presents itself as a standalone MongoDB 7.0: no retryable writes, no transactions. */

const WIRE_VERSION = 21;
const MAX_WRITES = 100_000;

function describe(engine: Engine, { name, connectionId }: Request): Doc {
  return {
    helloOk: true,
    [name === 'hello' ? 'isWritablePrimary' : 'ismaster']: true,
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: MAX_WRITES,
    localTime: new Date(engine.clock.now()),
    // Sessions are accepted, so that drivers send the same commands as to any server, and mean nothing here.
    logicalSessionTimeoutMinutes: 30,
    connectionId,
    minWireVersion: 0,
    maxWireVersion: WIRE_VERSION,
    readOnly: false,
    ok: 1,
  };
}

const hello: Command = {
  fields: [
    'helloOk',
    'client',
    'compression',
    'backpressure',
    'saslSupportedMechs',
    'speculativeAuthenticate',
    'loadBalanced',
    'topologyVersion',
    'maxAwaitTimeMS',
  ],
  isWrite: false,
  run: describe,
};

const ping: Command = { fields: [], isWrite: false, run: () => ({ ok: 1 }) };

export const handshakeCommands: Readonly<Record<string, Command>> = {
  hello,
  isMaster: hello,
  ismaster: hello,
  ping,
  endSessions: ping,
};
