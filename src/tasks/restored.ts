/**
 * `npm run restored`: after the database was restored from a backup. Exit code 0 when done, 1 when it could not be done, 2
 * when the command line is not understood.
 */
import { readCommandLine, UsageError } from '../commandLine.ts';
import { explainFailure, withStore } from '../database/command.ts';
import { beginNewHistories } from './numbering.ts';

const store = { name: 'restored', env: process.env, stderr: process.stderr };
try {
  // It takes none. Whoever says --help or --dev must not have every device start anew.
  readCommandLine({ args: process.argv.slice(2), options: {} });
  const count = await withStore(store, beginNewHistories);
  process.stdout.write(`the devices of ${count} user(s) will sync from the beginning\n`);
} catch (error) {
  process.stderr.write(`restored: ${explainFailure(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
