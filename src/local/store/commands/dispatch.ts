import { BSONError } from 'bson';
import { decodeForeign, type Doc, encode, isDoc, MAX_DOCUMENT_BYTES, toNumber } from '../documents.ts';
import { CommandError, refusalOf } from '../errors.ts';
import { MAX_MESSAGE_BYTES, type Message, OP_QUERY } from '../wire.ts';
import { collectionCommands } from './collections.ts';
import {
  type Answer,
  checkFields,
  type Command,
  type Engine,
  readNumber,
  type Request,
  type Steps,
} from './command.ts';
import { findCommands } from './find.ts';
import { writeCommands } from './write.ts';

/** The store presents itself as a standalone MongoDB 7.0: no retryable writes, no transactions. */
const hello: Command = {
  fields: [
    ...['helloOk', 'client', 'compression', 'backpressure', 'saslSupportedMechs', 'speculativeAuthenticate'],
    ...['loadBalanced', 'topologyVersion', 'maxAwaitTimeMS'],
  ],
  run: (_engine, { name }) => ({
    helloOk: true,
    [name === 'hello' ? 'isWritablePrimary' : 'ismaster']: true,
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: 100_000,
    // Sessions are accepted, so that drivers send the same commands as to any server, but mean nothing here.
    logicalSessionTimeoutMinutes: 30,
    minWireVersion: 0,
    maxWireVersion: 21,
    readOnly: false,
    ok: 1,
  }),
};

const ping: Command = { fields: [], run: () => ({ ok: 1 }) };

const TABLE: Readonly<Record<string, Command>> = {
  ...{ hello, isMaster: hello, ismaster: hello, ping, endSessions: ping },
  ...findCommands,
  ...writeCommands,
  ...collectionCommands,
};

/** Members that every command may have. */
const COMMON = [
  ...['$db', '$readPreference', '$clusterTime', 'lsid', 'readConcern', 'writeConcern', 'maxTimeMS', 'comment'],
];
const COMMANDS = new Map(
  Object.entries(TABLE).map(([name, command]) => {
    return [name, { command, fields: new Set([name, ...COMMON, ...command.fields]) }];
  }),
);
const READ_CONCERNS = new Set(['local', 'majority', 'available']);

const MAX_REPLY_BYTES = MAX_MESSAGE_BYTES - 1024;

/** Runs one message. Reports errors as MongoDB does; throws only what is not the client's fault. */
export function* execute(engine: Engine, message: Message): Steps<Uint8Array> {
  try {
    const request = readRequest(message);
    const running = commandOf(request, message).run(engine, request);
    const answer = isAnswer(running)
      ? running
      : yield* inTime(running, readNumber(request.body, 'maxTimeMS') || Infinity);
    const body = answer instanceof Uint8Array ? answer : encode(answer);
    if (body.length > MAX_REPLY_BYTES) throw new CommandError(10334, `an answer of ${body.length} bytes is too large`);
    return body;
  } catch (error) {
    const known = error instanceof BSONError ? new CommandError(22, error.message) : error;
    if (known instanceof CommandError) return encode(refusalOf(known));
    throw error;
  }
}

function isAnswer(running: Answer | Steps<Answer>): running is Answer {
  return running instanceof Uint8Array || isDoc(running);
}

/** Work that is abandoned at the first pause after so many milliseconds. */
function* inTime(steps: Steps<Answer>, maxTimeMs: number): Steps<Answer> {
  const start = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - start > maxTimeMs) throw new CommandError(50, 'operation exceeded time limit');
    yield;
  }
}

function readRequest({ body: bytes, sequences }: Message): Request {
  const name = firstName(bytes);
  const isInsert = name === 'insert';
  const body = decodeForeign(bytes, isInsert ? 'documents' : undefined);
  for (const [member, documents] of sequences) {
    if (Object.hasOwn(body, member)) {
      throw new CommandError(40413, `BSON field '${name}.${member}' is a duplicate field`);
    }
    body[member] = isInsert ? documents : documents.map((each) => decodeForeign(each));
  }
  const db = body['$db'] ?? 'admin'; // OP_QUERY has none, and is only good for hello
  if (typeof db !== 'string' || db === '') throw new CommandError(73, "Invalid database name: '$db'");
  return { name, db, body };
}

/** The name of the first member, without parsing: it is the command. */
function firstName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0, 5);
  return bytes.length <= 5 || end === -1 ? '' : Buffer.from(bytes.subarray(5, end)).toString('utf8');
}

/** @throws {CommandError} naming what is not implemented. */
function commandOf(request: Request, message: Message): Command {
  const { name, body } = request;
  const known = COMMANDS.get(name);
  if (message.opCode === OP_QUERY && !/^(hello|ismaster)$/i.test(name)) {
    throw new CommandError(352, `Unsupported OP_QUERY command: ${name}. The client driver may require an upgrade.`);
  }
  if (Object.hasOwn(body, 'autocommit')) {
    throw new CommandError(263, `${name} in a transaction: transactions are not implemented by the embedded store`);
  }
  if (Object.hasOwn(body, 'txnNumber')) {
    throw new CommandError(20, 'Transaction numbers are only allowed on a replica set member or mongos');
  }
  if (known === undefined) throw new CommandError(59, `no such command: '${name}'`);
  checkFields(name, body, known.fields);
  checkConcerns(body);
  return known.command;
}

/** Every write is durable before it is acknowledged, and there is one copy: any write concern up to that is accepted. */
function checkConcerns(body: Doc): void {
  const { readConcern, writeConcern } = body;
  const level = isDoc(readConcern) ? (readConcern['level'] ?? 'local') : 'local';
  if (typeof level !== 'string' || !READ_CONCERNS.has(level)) {
    throw new CommandError(72, `readConcern level '${JSON.stringify(level)}' is not implemented by the embedded store`);
  }
  const w = isDoc(writeConcern) ? writeConcern['w'] : undefined;
  const isGranted = w === undefined || w === 'majority' || [0, 1].includes(toNumber(w) ?? -1);
  if (!isGranted) throw new CommandError(2, "cannot use 'w' > 1 when a host is not replicated");
}
