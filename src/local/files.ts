import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DATA_DIRECTORY_VARIABLE, makeDirectory } from './directory.ts';
import { DevError, systemCode } from './errors.ts';

/** The file's text, or undefined if there is no such file. */
export function readKept(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
}

/** Writes a file that only its owner can read, whole or not at all. Returns false, and changes nothing, if it exists. */
export function createKept(path: string, text: string): boolean {
  return writeBeside(path, text, (temporary) => {
    try {
      linkSync(temporary, path);
      return true;
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
      throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
  });
}

/** Replaces a file, whole or not at all: a reader sees the old text or the new one. */
export function replaceKept(path: string, text: string): void {
  writeBeside(path, text, (temporary) => {
    renameSync(temporary, path);
  });
}

function writeBeside<T>(path: string, text: string, put: (temporary: string) => T): T {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    makeDirectory(dirname(path));
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return put(temporary);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw unusable(path, error);
  }
}

/** Never overwritten: it may be the only copy of a key whose tokens are in use. */
export function unreadable(path: string, reason: string, cause?: unknown): DevError {
  return new DevError(
    `The development tenant cannot use ${path}: ${reason}. Nothing was changed.\n` +
      `Restore the file, or delete its folder: the next start then makes new keys and chooses a new port. Earlier tokens` +
      ` are then refused (\`npm run -s token\` prints a new one), but your tasks stay.`,
    { cause },
  );
}

/** A message for what the system refused. Anything else is a bug and stays as it is. */
function unusable(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || systemCode(cause) === undefined) return cause;
  return new DevError(
    `The development tenant cannot use ${path}: ${cause.message}.\n` +
      `Correct the permissions, or set ${DATA_DIRECTORY_VARIABLE} to a writable folder.`,
    { cause },
  );
}
