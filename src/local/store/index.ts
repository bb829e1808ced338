import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import { Catalog } from './catalog.ts';
import type { Engine } from './commands/command.ts';
import { Cursors } from './cursors.ts';
import { Executor, type Log } from './executor.ts';
import { openFile } from './file.ts';
import { WireServer } from './server.ts';
import { Storage } from './storage.ts';

export { EmbeddedStoreError } from './errors.ts';

/** A MongoDB-compatible server inside this process, for laptops and tests. */
export interface EmbeddedStore {
  /** `mongodb://…` for any driver of this user on this machine. Names no database. */
  readonly uri: string;
  /** Ends every connection. Acknowledged writes are already on disk. May be called again. */
  close(): Promise<void>;
}

export interface EmbeddedStoreOptions {
  /** For the data alone; created if missing. One process at a time. */
  readonly directory: string;
  /** For TTL indexes and idle cursors. */
  readonly clock?: Clock;
  readonly log?: Log;
}

const SILENT: Log = { warn: () => undefined, info: () => undefined, error: () => undefined };

/** @throws {EmbeddedStoreError} when the directory cannot be used; the message says what to do. */
export async function startEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const { clock = Date, log = SILENT } = options;
  const directory = resolve(options.directory);
  const storage = new Storage(openFile(directory));
  try {
    const catalog = new Catalog(storage);
    const engine: Engine = { storage, catalog, cursors: new Cursors(), clock };
    const executor = new Executor(engine, log);
    const server = new WireServer(executor, log);
    const { uri, made } = await listen(server, directory);
    log.info({ directory, uri }, 'the embedded store is open');
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      executor.finish();
      await setImmediate(); // lets the interrupted commands be answered
      await server.close();
      storage.close();
      if (made !== undefined) removeAll(made);
    };
    return { uri, close: () => (closing ??= close()) };
  } catch (error) {
    storage.close();
    throw error;
  }
}

// sun_path has 104 bytes on macOS and 108 on Linux, with the zero at the end.
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * A Unix socket that only this user can open, beside the data, or in a private directory if that path is too long or the file system
 * has no sockets. On Windows, loopback TCP.
 */
async function listen(server: WireServer, directory: string): Promise<{ uri: string; made?: string }> {
  if (platform() === 'win32') {
    await server.listen({ host: '127.0.0.1', port: 0 });
    return { uri: `mongodb://127.0.0.1:${server.port}/` };
  }
  const beside = socketIn(directory);
  if (await listenAt(server, beside)) return { uri: uriOf(beside), made: beside };
  const apart = mkdtempSync(join(tmpdir(), 'embedded-store-'));
  await server.listen({ path: socketIn(apart) });
  return { uri: uriOf(socketIn(apart)), made: apart };
}

function removeAll(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** The socket of a directory's store, if it can listen there. */
export function socketIn(directory: string): string {
  return join(directory, 'store.sock');
}

/** False if the path is too long, or the file system has no sockets. */
async function listenAt(server: WireServer, path: string): Promise<boolean> {
  // The driver decodes percent signs in a path twice.
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES || path.includes('%')) return false;
  removeAll(path); // left behind by a process that was killed: we hold the lock of the directory
  try {
    await server.listen({ path });
    chmodSync(path, 0o600);
    return true;
  } catch {
    return false;
  }
}

export function uriOf(path: string): string {
  return `mongodb://${encodeURIComponent(path)}/`;
}
