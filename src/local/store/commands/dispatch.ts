import { BSONError } from 'bson';
import { decodeForeign, type Doc, encode, isDoc, toNumber } from '../documents.ts';
import { CommandError } from '../errors.ts';
import { removeExpired } from '../expiry.ts';
import { inTime, type Steps } from '../steps.ts';
import type { Message } from '../wire.ts';
import { MAX_MESSAGE_BYTES, OP_QUERY } from '../wire.ts';
import { collectionCommands } from './collections.ts';
import { type Answer, checkFields, type Command, type Engine, readTimeLimit, type Request } from './command.ts';
import { countCommands } from './count.ts';
import { findCommands } from './find.ts';
import { handshakeCommands } from './handshake.ts';
import { indexCommands } from './indexes.ts';
import { writeCommands } from './write.ts';

const TABLE: Readonly<Record<string, Command>> = {
  ...handshakeCommands,
  ...findCommands,
  ...countCommands,
  ...writeCommands,
  ...collectionCommands,
  ...indexCommands,
};

/** Members that every command may have. */
const COMMON = [
  '$db',
  '$readPreference',
  '$clusterTime',
  'lsid',
  'readConcern',
  'writeConcern',
  'maxTimeMS',
  'comment',
];
const COMMANDS = new Map(
  Object.entries(TABLE).map(([name, command]) => [
    name,
    { command, fields: new Set([name, ...COMMON, ...command.fields]) },
  ]),
);
const READ_CONCERNS = new Set(['local', 'majority', 'available']);

const MAX_REPLY_BYTES = MAX_MESSAGE_BYTES - 1024;

/** Who asks. */
export interface Client {
  readonly id: number;
  isGone(): boolean;
}

/** Carries out one message. Answers errors as MongoDB does; throws only what is not the client's doing. */
export function* execute(
  engine: Engine,
  message: Message,
  client: Client,
): Generator<undefined, Uint8Array, undefined> {
  try {
    const request = readRequest(message, client.id);
    const command = commandOf(request, message);
    removeExpired(engine, engine.clock.now());
    const steps = command.isWrite
      ? writing(engine, stepsOf(command, engine, request))
      : whileWanted(client, stepsOf(command, engine, request));
    const answer = yield* inTime(steps, readTimeLimit(request.body));
    const body = answer instanceof Uint8Array ? answer : encode(answer);
    if (body.length > MAX_REPLY_BYTES) throw new CommandError(10334, `an answer of ${body.length} bytes is too large`);
    return body;
  } catch (error) {
    return encode(describe(error));
  }
}

function stepsOf(command: Command, engine: Engine, request: Request): Steps<Answer> {
  if ('steps' in command) return command.steps(engine, request);
  return { next: () => ({ done: true, value: command.run(engine, request) }) };
}

/** Each step is done as a whole or not at all. */
function writing(engine: Engine, steps: Steps<Answer>): Steps<Answer> {
  return {
    next() {
      try {
        return engine.storage.write(() => steps.next());
      } catch (error) {
        engine.catalog.reload(); // what the step made in memory was never written
        throw error;
      }
    },
  };
}

/** Nobody reads for a client that has gone away. */
function whileWanted(client: Client, steps: Steps<Answer>): Steps<Answer> {
  return {
    next() {
      if (client.isGone()) throw new CommandError(279, 'the client has closed its connection');
      return steps.next();
    },
  };
}

/** @throws the error itself when it is not one that a client is meant to read. */
function describe(error: unknown): Doc {
  const known = error instanceof BSONError ? new CommandError(22, error.message) : error;
  if (!(known instanceof CommandError)) throw error;
  return { ok: 0, errmsg: known.message, code: known.code, codeName: known.codeName, ...known.details };
}

function readRequest(message: Message, connectionId: number): Request {
  const name = firstName(message.body);
  const isInsert = name === 'insert';
  const body = decodeForeign(message.body, isInsert ? 'documents' : undefined);
  for (const [member, documents] of message.sequences) {
    if (Object.hasOwn(body, member)) {
      throw new CommandError(40413, `BSON field '${name}.${member}' is a duplicate field`);
    }
    body[member] = isInsert ? documents : documents.map((bytes) => decodeForeign(bytes));
  }
  const documents = isInsert ? body['documents'] : [];
  if (!Array.isArray(documents) || !documents.every((each) => each instanceof Uint8Array)) {
    throw new CommandError(14, "BSON field 'insert.documents' is the wrong type, expected an array of objects");
  }
  const db = body['$db'] ?? 'admin'; // OP_QUERY has none, and is only good for hello
  if (typeof db !== 'string' || db === '') throw new CommandError(73, "Invalid database name: '$db'");
  return { name, db, body, documents, connectionId };
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

/** Every write is durable before it is acknowledged, and there is one copy: what asks for that or less is granted. */
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
