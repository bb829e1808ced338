import type { Connection } from 'mongoose';
import type { Clock } from '../clock.ts';
import { readCommandLine, UsageError } from '../commandLine.ts';
import { ensureStructure } from '../database/structure.ts';
import { canonicalId } from '../guid.ts';
import { visible } from '../show.ts';
import { erasePerson } from './erasure.ts';
import { userModel } from './model.ts';
import { movePerson } from './move.ts';
import { exportPerson } from './personal.ts';
import { UserStore } from './store.ts';

export const USAGE = `usage: npm run -s users -- <command>

  add <oid> [--name <name>]  let this user call (needed with AUTO_REGISTER=false)
  list                       all users, one JSON object a line
  show <oid>                 one user
  export <oid>               everything that is stored about a person, as JSON
  erase <oid>                erase all of it, at once and for good
  move <from> <to>           give one user's tasks to another, whose object id is the new one

<oid> is the user's object id in the tenant. MONGODB_URI says where (the environment or .env); with --dev it is the
store of \`npm run dev\`, whether that runs or not.
`;

/** There is nobody to show. */
class NothingStoredError extends Error {
  constructor(oid: string) {
    super(`nothing is stored about ${oid}`);
  }
}

export type Command = { verb: 'help' | 'list' } | { verb: 'show' | 'export'; oid: string } | Change;

/** What changes something. */
type Change =
  | { verb: 'erase'; oid: string }
  | { verb: 'add'; oid: string; name: string | undefined }
  | { verb: 'move'; from: string; to: string };

/** @throws {UsageError} */
export function parseCommand(args: string[]): Command {
  const options = { name: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
  const { positionals, values } = readCommandLine({ args, options, allowPositionals: true });
  const [verb, ...rest] = positionals;
  if (values.help) return { verb: 'help' };
  const [oid, to] = rest.map(readOid);
  const tooMuch = rest.slice(verb === 'move' ? 2 : 1);
  if (tooMuch.length > 0) throw new UsageError(`"${tooMuch.join(' ')}" is one argument too many`);
  if (values.name !== undefined && verb !== 'add') throw new UsageError('--name goes with add');
  if (verb === 'list' && oid === undefined) return { verb };
  if (verb === 'move') return readMove(oid, to);
  if (verb !== 'add' && verb !== 'show' && verb !== 'export' && verb !== 'erase') {
    throw new UsageError(verb === undefined ? 'a command is missing' : `"${positionals.join(' ')}" is not a command`);
  }
  if (oid === undefined || oid === '') throw new UsageError(`${verb} needs an oid`);
  return verb === 'add' ? { verb, oid, name: values.name } : { verb, oid };
}

function readMove(from = '', to = ''): Command {
  if (from === '' || to === '') throw new UsageError('move needs two oids: from whom, and to whom');
  if (from === to) throw new UsageError('both oids of a move are the same person');
  return { verb: 'move', from, to };
}

function readOid(text: string): string {
  return canonicalId(text.trim());
}

/**
 * Does it, and prints what there is to say.
 *
 * @throws {NothingStoredError} when there is nobody to show or export.
 */
export async function runCommand(
  command: Command,
  connection: Connection,
  clock: Clock,
  print: (text: string) => Promise<void>,
): Promise<void> {
  for await (const text of answers(command, connection, new Date(clock.now()))) await print(text);
}

async function* answers(command: Command, connection: Connection, now: Date): AsyncGenerator<string> {
  const users = new UserStore(connection);
  userModel(connection);
  switch (command.verb) {
    case 'help':
      yield USAGE;
      return;
    case 'list':
      for (const user of await users.list()) yield shown(user);
      return;
    case 'show':
      yield shown(await showUser(users, command.oid), 2);
      return;
    case 'export':
      yield* exportStored(connection, command.oid, now);
      return;
  }
  // The first command on a new database may come before the server has made the unique index.
  await ensureStructure(connection);
  yield await change(command, connection, users, now);
}

/** JSON that a terminal shows and does not obey, whatever people call themselves. */
function shown(user: object, indent?: number): string {
  return `${JSON.stringify(user, undefined, indent).split('\n').map(visible).join('\n')}\n`;
}

async function change(command: Change, connection: Connection, users: UserStore, now: Date): Promise<string> {
  if (command.verb === 'add') {
    const isNew = await users.add(command.oid, command.name, now);
    return isNew ? `added ${command.oid}\n` : `${command.oid} was there already\n`;
  }
  if (command.verb === 'move') {
    const { tasks } = await movePerson(connection, command.from, command.to, now);
    return tasks === 0 ? `nothing was left to move\n` : `${tasks} tasks moved to ${command.to}\n`;
  }
  return Object.entries(await erasePerson(connection, command.oid, now))
    .map(([collection, count]) => `${collection}: ${count} erased\n`)
    .join('');
}

async function showUser(users: UserStore, oid: string): Promise<object> {
  const user = await users.get(oid);
  if (user === undefined) throw new NothingStoredError(oid);
  return user;
}

async function* exportStored(connection: Connection, oid: string, now: Date): AsyncGenerator<string> {
  let isAnything = false;
  for await (const text of exportPerson(connection, oid, now)) {
    isAnything = true;
    yield text;
  }
  if (!isAnything) throw new NothingStoredError(oid);
}
