import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { systemCode } from './errors.ts';

/** The folder with `package.json`: development commands work the same from wherever they are started. */
export const projectRoot = resolve(import.meta.dirname, '../..');

/** Sets another folder than `data` for everything that development keeps. Relative to the project. */
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
 * Makes a folder, and those above it, that only its owner can look into. Not mkdirSync's own `recursive`, which never returns where
 * a folder can be seen but not made (/proc).
 */
export function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Two first uses at once.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}
