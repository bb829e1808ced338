import type { Connection } from 'mongoose';
import type { Clock } from '../clock.ts';
import { readCommandLine, UsageError } from '../commandLine.ts';
import { COMMAND_MS, StoreTime } from '../database/deadline.ts';
import { ensureStructure } from '../database/structure.ts';
import { canonicalId } from '../guid.ts';
import { visible } from '../show.ts';
import { erasePerson } from './erasure.ts';
import { movePerson } from './move.ts';
import { exportPerson } from './personal.ts';
import { UserStore } from './store.ts';

export const USAGE = `usage: npm run -s users -- <command>

  add <oid> [--name <name>]  let this user call (needed with AUTO_REGISTER=false)
  list                       all users, one JSON object a line
  show <oid>                 one user
  export <oid>               everything stored about a user, as JSON
  erase <oid>                erase all of it, at once and for good
  move <from> <to>           move a user's tasks to their new object id

<oid> is the user's object id in the tenant. The store is the one in MONGODB_URI (the environment or .env); with --dev
it is that of \`npm run dev\`, running or not.
`;

/** There is nothing to show or export. */
class NothingStoredError extends Error {
  constructor(oid: string) {
    super(`nothing is stored about ${oid}`);
  }
}

interface Given {
  connection: Connection;
  users: UserStore;
  /** Empty when the verb takes none. */
  oid: string;
  to: string;
  name: string | undefined;
  now: Date;
}

interface Verb {
  /** How many oids it takes. */
  people: 0 | 1 | 2;
  isChange?: true;
  /** Does it, and yields what to print. */
  run: (given: Given) => AsyncGenerator<string>;
}

const verbs: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['add', { people: 1, isChange: true, run: add }],
  ['list', { people: 0, run: list }],
  ['show', { people: 1, run: show }],
  ['export', { people: 1, run: exportStored }],
  ['erase', { people: 1, isChange: true, run: erase }],
  ['move', { people: 2, isChange: true, run: move }],
]);

async function* add({ users, oid, name, now }: Given): AsyncGenerator<string> {
  yield (await users.add(oid, name, now)) ? `added ${oid}\n` : `${oid} was already there\n`;
}

async function* list({ users }: Given): AsyncGenerator<string> {
  for (const user of await users.list()) yield shown(user);
}

async function* show({ users, oid }: Given): AsyncGenerator<string> {
  const user = await users.get(oid);
  if (user === undefined) throw new NothingStoredError(oid);
  yield shown(user, 2);
}

async function* exportStored({ connection, oid, now }: Given): AsyncGenerator<string> {
  if (!(yield* exportPerson(connection, oid, now, COMMAND_MS))) throw new NothingStoredError(oid);
}

async function* erase({ connection, oid, now }: Given): AsyncGenerator<string> {
  const erased = await erasePerson(connection, oid, now, new StoreTime(COMMAND_MS).begin());
  for (const [collection, count] of Object.entries(erased)) yield `${collection}: ${count} erased\n`;
}

async function* move({ connection, oid, to, now }: Given): AsyncGenerator<string> {
  const { tasks } = await movePerson(connection, oid, to, now);
  yield tasks === 0 ? `nothing left to move\n` : `${tasks} tasks moved to ${to}\n`;
}

/** JSON without characters that a terminal would obey, whatever people call themselves. */
function shown(user: object, indent?: number): string {
  return `${JSON.stringify(user, undefined, indent).split('\n').map(visible).join('\n')}\n`;
}

/** What was asked for. */
export interface Command extends Pick<Given, 'oid' | 'to' | 'name'> {
  verb: Verb;
}

/** @throws {UsageError} */
export function parseCommand(args: string[]): Command | 'help' {
  const options = { name: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
  const { positionals, values } = readCommandLine({ args, options, allowPositionals: true });
  if (values.help) return 'help';
  const [word, ...rest] = positionals;
  const verb = verbs.get(word ?? '');
  if (verb === undefined || (verb.people === 0 && rest.length > 0)) {
    throw new UsageError(word === undefined ? 'the command is missing' : `"${positionals.join(' ')}" is not a command`);
  }
  const tooMuch = rest.slice(verb.people);
  if (tooMuch.length > 0) throw new UsageError(`unexpected argument "${tooMuch.join(' ')}"`);
  if (values.name !== undefined && word !== 'add') throw new UsageError('--name only goes with add');
  const oids = rest.map((text) => canonicalId(text.trim())).filter((oid) => oid !== '');
  const [oid = '', to = ''] = oids;
  if (oids.length < verb.people) {
    throw new UsageError(`${word} needs ${verb.people === 1 ? 'an oid' : 'two oids: from and to'}`);
  }
  if (verb.people === 2 && oid === to) throw new UsageError('the two oids of a move are the same');
  return { verb, oid, to, name: values.name };
}

/** @throws {NothingStoredError} */
export async function runCommand(
  { verb, ...given }: Command,
  connection: Connection,
  clock: Clock,
  print: (text: string) => Promise<void>,
): Promise<void> {
  const users = new UserStore(connection);
  // The first command on a new database may run before the server has created the unique index.
  if (verb.isChange) await ensureStructure(connection);
  const now = new Date(clock.now());
  for await (const text of verb.run({ ...given, connection, users, now })) await print(text);
}
