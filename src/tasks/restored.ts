/** `npm run restored`: after the database was restored from a backup. Exit code 0 when done, else 1. */
import { explainFailure, withStore } from '../database/command.ts';
import { beginNewHistories } from './history.ts';

const store = { name: 'restored', env: process.env, stderr: process.stderr };
try {
  const count = await withStore(store, beginNewHistories);
  process.stdout.write(`the devices of ${count} user(s) will sync from the beginning\n`);
} catch (error) {
  process.stderr.write(`restored: ${explainFailure(error)}\n`);
  process.exitCode = 1;
}
