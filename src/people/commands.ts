import type { Connection } from 'mongoose';

import type { Clock } from '../clock.ts';
import { readCommandLine, UsageError } from '../commandLine.ts';
import { ensureStructure } from '../database/structure.ts';
import { collectPersonal, erasePersonal } from './personal.ts';
import { UserStore } from './store.ts';

export const USAGE = `usage: npm run -s users -- <command>

  add <oid> [--name <name>]  let this user call (needed with AUTO_REGISTER=false)
  list                       all users, one JSON object a line
  show <oid>                 one user
  export <oid>               everything that is stored about a person, as JSON
  erase <oid>                erase all of it, at once and for good

<oid> is the user's object id in the tenant. MONGODB_URI says where (the environment or .env).
`;

/** There is nobody to show. */
export class NothingStoredError extends Error {
  constructor(oid: string) {
    super(`nothing is stored about ${oid}`);
  }
}

export type Command =
  | { verb: 'help' | 'list' }
  | { verb: 'show' | 'export' | 'erase'; oid: string }
  | { verb: 'add'; oid: string; name: string | undefined };

/** @throws {UsageError} */
export function parseCommand(args: string[]): Command {
  const options = { name: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
  const { positionals, values } = readCommandLine({ args, options, allowPositionals: true });
  const [verb, oid, ...rest] = positionals;
  if (values.help) return { verb: 'help' };
  if (rest.length > 0) throw new UsageError(`"${rest.join(' ')}" is too much`);
  if (values.name !== undefined && verb !== 'add') throw new UsageError('--name goes with add');
  if (verb === 'list' && oid === undefined) return { verb };
  if (verb !== 'add' && verb !== 'show' && verb !== 'export' && verb !== 'erase') {
    throw new UsageError(verb === undefined ? 'a command is missing' : `"${positionals.join(' ')}" is no command`);
  }
  if (oid === undefined || oid.trim() === '') throw new UsageError(`${verb} needs an oid`);
  return verb === 'add' ? { verb, oid, name: values.name } : { verb, oid };
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
  await print(await answer(command, connection, clock));
}

async function answer(command: Command, connection: Connection, clock: Clock): Promise<string> {
  const users = new UserStore(connection);
  switch (command.verb) {
    case 'help':
      return USAGE;
    case 'add':
      // The first command on a new database may come before the server has made the unique index.
      await ensureStructure(connection);
      return (await users.add(command.oid, command.name, new Date(clock.now())))
        ? `added ${command.oid}\n`
        : `${command.oid} was there already\n`;
    case 'list':
      return (await users.list()).map((user) => `${JSON.stringify(user)}\n`).join('');
    case 'show':
      return toText(await showUser(users, command.oid));
    case 'export':
      return toText(await exportPerson(connection, command.oid, clock));
    case 'erase':
      return Object.entries(await erasePersonal(connection, command.oid))
        .map(([collection, count]) => `${collection}: ${count} erased\n`)
        .join('');
  }
}

async function showUser(users: UserStore, oid: string): Promise<object> {
  const user = await users.get(oid);
  if (user === undefined) throw new NothingStoredError(oid);
  return user;
}

async function exportPerson(connection: Connection, oid: string, clock: Clock): Promise<object> {
  const stored = await collectPersonal(connection, oid);
  if (Object.values(stored).every((documents) => documents.length === 0)) throw new NothingStoredError(oid);
  return { oid, exportedAt: new Date(clock.now()), ...stored };
}

function toText(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
