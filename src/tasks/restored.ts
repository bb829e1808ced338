/**
 * `npm run restored`: run it after the database was restored from a backup. Exit codes: 0 done, 1 failed, 2 invalid command
 * line.
 */
import { readCommandLine, UsageError } from '../commandLine.ts';
import { explainFailure, withStore } from '../database/command.ts';
import { beginNewHistories } from './numbering.ts';

const store = { name: 'restored', env: process.env, stderr: process.stderr };
try {
  // It takes none. --help or --dev must not make every device sync from the beginning.
  readCommandLine({ args: process.argv.slice(2), options: {} });
  const count = await withStore(store, beginNewHistories);
  process.stdout.write(`the devices of ${count} user(s) will sync from the beginning\n`);
} catch (error) {
  process.stderr.write(`restored: ${explainFailure(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
