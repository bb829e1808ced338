/**
 * `npm run -s users -- …`: who may call, and what is stored about whom. Exit code 0 when done, 1 when it could not be
 * done, 2 when the command line is not understood.
 */
import { generalVariables } from '../../config/variables.ts';
import { UsageError } from '../commandLine.ts';
import { connectOnce } from '../database/connection.ts';
import { isRefusal, toStoreError } from '../database/errors.ts';
import { loadEnvFile } from '../envFile.ts';
import { parseCommand, runCommand, USAGE, type Command } from './commands.ts';

const DONE = 0;
const FAILED = 1;
const NOT_UNDERSTOOD = 2;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    const command = parseCommand(args);
    process.stdout.write(command.verb === 'help' ? USAGE : await runOnStore(command));
    return DONE;
  } catch (error) {
    process.stderr.write(`users: ${explain(error)}\n`);
    if (!(error instanceof UsageError)) return FAILED;
    process.stderr.write(`\n${USAGE}`);
    return NOT_UNDERSTOOD;
  }
}

function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (isRefusal(error)) return `the store refuses the user that MONGODB_URI names: ${message}`;
  return toStoreError(error) === undefined ? message : `the store cannot be reached: ${message}`;
}

async function runOnStore(command: Command): Promise<string> {
  const store = await connectOnce({ uri: readUri(), clock: Date, log: stderrLog() });
  try {
    return await runCommand(command, store.connection, Date);
  } finally {
    await store.close();
  }
}

/** Only where the users are: managing them needs no tenant. */
function readUri(): string {
  loadEnvFile(process.env);
  const { name, expected } = generalVariables.mongodbUri;
  const uri = process.env[name]?.trim() ?? '';
  if (!/^(mongodb(\+srv)?:\/\/|embedded:.)/.test(uri)) {
    throw new Error(`${name} is ${uri === '' ? 'not set' : 'not of that form'}, expected ${expected}`);
  }
  return uri;
}

/** stdout is for the answer alone. */
function stderrLog() {
  const write = (_fields: object, message: string): void => {
    process.stderr.write(`users: ${message}\n`);
  };
  return { info: () => undefined, warn: write, error: write };
}
