/**
 * `npm run -s users -- …`: who may call, and what is stored about them. Exit codes: 0 done, 1 failed, 2 invalid command
 * line.
 */
import { UsageError } from '../commandLine.ts';
import { explainFailure, withStore } from '../database/command.ts';
import { parseCommand, runCommand, USAGE } from './commands.ts';

const DONE = 0;
const FAILED = 1;
const NOT_UNDERSTOOD = 2;

const FOR_DEVELOPMENT = '--dev';

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    const command = parseCommand(args.filter((arg) => arg !== FOR_DEVELOPMENT));
    if (command === 'help') {
      process.stdout.write(USAGE);
      return DONE;
    }
    const env = args.includes(FOR_DEVELOPMENT) ? await developmentEnvironment() : process.env;
    const store = { name: 'users', env, stderr: process.stderr };
    await withStore(store, (connection) => runCommand(command, connection, Date, print));
    return DONE;
  } catch (error) {
    process.stderr.write(`users: ${explainFailure(error)}\n`);
    if (!(error instanceof UsageError)) return FAILED;
    process.stderr.write(`\n${USAGE}`);
    return NOT_UNDERSTOOD;
  }
}

async function developmentEnvironment(): Promise<NodeJS.ProcessEnv> {
  const { developmentStore } = await import('../local/index.ts');
  return { ...process.env, MONGODB_URI: await developmentStore(process.env) };
}

/** Resolves when there is room for more: an export is larger than a pipe's buffer. */
async function print(text: string): Promise<void> {
  await new Promise((resolve) => process.stdout.write(text, resolve));
}
