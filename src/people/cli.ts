/**
 * `npm run -s users -- …`: who may call, and what is stored about whom. Exit code 0 when done, 1 when it could not be
 * done, 2 when the command line is not understood.
 */
import { UsageError } from '../commandLine.ts';
import { explainFailure, withStore } from '../database/command.ts';
import { parseCommand, runCommand, USAGE } from './commands.ts';

const DONE = 0;
const FAILED = 1;
const NOT_UNDERSTOOD = 2;
const STORE = { name: 'users', env: process.env, stderr: process.stderr };

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    const command = parseCommand(args);
    if (command.verb === 'help') process.stdout.write(USAGE);
    else await withStore(STORE, (connection) => runCommand(command, connection, Date, print));
    return DONE;
  } catch (error) {
    process.stderr.write(`users: ${explainFailure(error)}\n`);
    if (!(error instanceof UsageError)) return FAILED;
    process.stderr.write(`\n${USAGE}`);
    return NOT_UNDERSTOOD;
  }
}

/** Resolves when there is room for more: an export is larger than what a pipe holds. */
async function print(text: string): Promise<void> {
  await new Promise((resolve) => process.stdout.write(text, resolve));
}
