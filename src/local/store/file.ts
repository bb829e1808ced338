import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync, statSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeDirectory } from '../directory.ts';
import { systemCode } from '../errors.ts';
import { EmbeddedStoreError } from './errors.ts';
import { SCHEMA } from './storage.ts';

/** 'TASK': tells our files from those of other SQLite applications. */
const APPLICATION_ID = 0x5441534b;
/** The version of the tables and keys. Another version is refused, never converted or overwritten. */
const FORMAT_VERSION = 1;

const FILE_NAME = 'store.sqlite';

const MIN_BYTES = 512;

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Opens the directory's database for this process alone, creating both when they are not there.
 *
 * @throws {EmbeddedStoreError} saying what is wrong with the directory and what to do.
 */
export function openFile(directory: string): DatabaseSync {
  const path = join(directory, FILE_NAME);
  let db: DatabaseSync | undefined;
  try {
    makeDirectory(directory);
    if (!existsSync(path)) createFile(directory, path);
    const { size } = statSync(path);
    // SQLite would take a file shorter than a page for a new database.
    if (size < MIN_BYTES) throw torn(path, `it has ${size} bytes`);
    db = new DatabaseSync(path);
    lockAndCheck(db, path);
    return db;
  } catch (error) {
    db?.close();
    throw explain(error, directory, path);
  }
}

/**
 * A new file gets its name only when it is complete, so an empty or short one is known to be damaged. By a link, not a rename: a
 * link fails if another process was faster, and then that one's file is the one to open.
 */
function createFile(directory: string, path: string): void {
  if (existsSync(`${path}-wal`)) throw torn(path, 'it is missing beside its write-ahead log');
  const fresh = `${path}.${randomUUID()}.new`;
  try {
    const db = new DatabaseSync(fresh);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}; ${SCHEMA}`);
    db.close();
    chmodSync(fresh, 0o600);
    linkSync(fresh, path);
    syncDirectory(directory);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}

function syncDirectory(directory: string): void {
  if (platform() === 'win32') return; // a directory cannot be opened there
  const handle = openSync(directory, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

function lockAndCheck(db: DatabaseSync, path: string): void {
  // The first access takes the lock, which the operating system releases with the process, however that ends.
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  const application = pragma(db, 'application_id');
  const version = pragma(db, 'user_version');
  if (application !== APPLICATION_ID) {
    throw new EmbeddedStoreError(`${path} is not a store of this application: choose another directory`);
  }
  if (version !== FORMAT_VERSION) {
    throw new EmbeddedStoreError(
      `${path} has format ${String(version)}, and this release reads and writes format ${FORMAT_VERSION}: ` +
        'start the release that wrote it, or choose another directory',
    );
  }
  const health = pragma(db, 'quick_check');
  if (health !== 'ok') throw torn(path, String(health));
  // FULL: a commit returns when the write-ahead log is on disk. fullfsync: on macOS that needs this too.
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1',
  );
  // 32 MiB of cache, and the log goes into the file every 16 MiB instead of 4: writes to many indexes touch many pages.
  db.exec('PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4096');
  db.exec('BEGIN EXCLUSIVE; COMMIT'); // fails now, not at the first write, when the file is read-only or in use
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function explain(error: unknown, directory: string, path: string): EmbeddedStoreError {
  if (error instanceof EmbeddedStoreError) return error;
  const { errcode = 0 } = error as { errcode?: number };
  const code = errcode & 0xff;
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return torn(path, (error as Error).message, error);
  if (code !== SQLITE_BUSY) return unwritable(directory, error);
  return new EmbeddedStoreError(
    `${directory} is in use by another process: stop it, choose another directory, or connect to the address that it logged`,
    { cause: error },
  );
}

function unwritable(directory: string, cause: unknown): EmbeddedStoreError {
  const reason = (cause as Error).message;
  return new EmbeddedStoreError(
    `${directory} cannot be written (${reason}): make it writable for this user, or choose another directory`,
    { cause },
  );
}

function torn(path: string, reason: string, cause?: unknown): EmbeddedStoreError {
  return new EmbeddedStoreError(
    `${path} is damaged (${reason}). Nothing was changed: restore it from a copy, or move it away to start empty`,
    { cause },
  );
}
