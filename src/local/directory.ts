import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { systemCode } from './errors.ts';

/** The folder with `package.json`: development commands work the same wherever they are started. */
export const projectRoot = resolve(import.meta.dirname, '../..');

/** Names another folder than `data` for all development state. Relative to the project. */
export const DATA_DIRECTORY_VARIABLE = 'DEV_DATA_DIR';

export interface DataDirectory {
  /** The embedded store's folder. */
  readonly store: string;
  /** The development tenant's keys, port and certificate. */
  readonly tenant: string;
}

/** Where development keeps its state: `data/` of the project unless DEV_DATA_DIR says otherwise. */
export function dataDirectory(env: Readonly<Record<string, string | undefined>>, root = projectRoot): DataDirectory {
  const directory = resolve(root, env[DATA_DIRECTORY_VARIABLE] || 'data');
  return { store: join(directory, 'store'), tenant: join(directory, 'tenant') };
}

/**
 * Makes a folder, and those above it, readable by its owner alone. Not with mkdirSync's `recursive`, which never returns where a
 * folder can be seen but not made (/proc).
 */
export function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process was faster.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}
