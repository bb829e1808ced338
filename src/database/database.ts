import mongoose, { type Connection } from 'mongoose';
import type { Clock } from '../clock.ts';
import { createConnection } from './connection.ts';
import { isRefusal, toStoreError } from './errors.ts';
import { Heartbeat, pause } from './heartbeat.ts';
import { connectOptions, hostsOf } from './options.ts';
import { isEmbedded, type Log, type OpenStore, openStore } from './store.ts';
import { ensureStructure, StructureError } from './structure.ts';

export interface DatabaseOptions {
  /** `mongodb://…`, `mongodb+srv://…` or `embedded:<directory>`. */
  uri: string;
  clock: Clock;
  log: Log;
  /** The embedded store is then worth a warning. */
  isProduction?: boolean;
}

export interface Database {
  /** Models are made on it, never on the global mongoose, and before `start`. */
  connection: Connection;
  /**
   * Opens the store. A server that is not there is waited for in the background, for ever.
   *
   * @throws {StoreStartError} when it can never be had with this URI.
   */
  start(): Promise<void>;
  /** Whether the store answers and has its collections and indexes. From memory: costs nothing. */
  isReady(): boolean;
  /** Why it is not ready, such as `lacks the index owner_1 of the collection syncs`. From memory too. */
  problem(): string | undefined;
  /** Interrupts what is still in flight, so drain first. */
  close(): Promise<void>;
}

/** Opens nothing yet: `start` does. */
export function createDatabase(options: DatabaseOptions): Database {
  return new StoreConnection(options);
}

const NO_ANSWER = 'does not answer';
const REFUSED = 'refuses the credentials';
const MIN_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 2000;
const MS_BETWEEN_EQUAL_LINES = 60_000;

class StoreConnection implements Database {
  readonly connection: Connection;
  readonly #options: DatabaseOptions;
  readonly #heartbeat: Heartbeat;
  readonly #stop = new AbortController();
  #store: OpenStore | undefined;
  #running: Promise<void> | undefined;
  #problem = NO_ANSWER;
  #lastLine = { reason: '', at: 0 };

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.connection = createConnection();
    this.#heartbeat = new Heartbeat(this.connection, (isAlive, error) => {
      this.#problem = isRefusal(error) ? REFUSED : NO_ANSWER;
      if (isAlive) options.log.info({}, 'store ready');
      else options.log.error({ err: error }, 'store not ready');
    });
  }

  async start(): Promise<void> {
    if (isEmbedded(this.#options.uri) && this.#options.isProduction) {
      this.#options.log.warn({}, 'the embedded store is for development: use a MongoDB server in production');
    }
    this.#store = await openStore(this.#options);
    this.#running = this.#run(this.#store.uri);
  }

  isReady(): boolean {
    return this.#heartbeat.isAlive && !this.#isClosing();
  }

  problem(): string | undefined {
    return this.isReady() ? undefined : this.#problem;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    const closed = this.#closeConnection();
    // A driver that still resolves a name or reads a file cannot be interrupted, and has nothing that could be lost.
    if (this.connection.readyState === mongoose.ConnectionStates.connecting) closed.catch(() => undefined);
    else await closed;
    await this.#store?.close();
  }

  async #closeConnection(): Promise<void> {
    // A first connect would go on until its own timeout; closing the client ends it at once.
    if (this.connection.readyState === mongoose.ConnectionStates.connecting) await this.connection.getClient().close();
    await this.#running;
    await this.connection.destroy();
  }

  #isClosing(): boolean {
    return this.#stop.signal.aborted;
  }

  async #run(uri: string): Promise<void> {
    const hosts = hostsOf(uri);
    await this.#untilDone('store cannot be reached', { hosts }, () =>
      this.connection.openUri(uri, connectOptions(uri)),
    );
    await this.#untilDone('store lacks collections or indexes', { hosts }, () => {
      this.#problem = 'lacks indexes that are being built';
      return ensureStructure(this.connection);
    });
    this.#problem = NO_ANSWER;
    await this.#heartbeat.run(this.#stop.signal);
  }

  /** Repeats the work until it succeeds or the database is closed. Never throws. */
  async #untilDone(failure: string, fields: object, work: () => Promise<unknown>): Promise<void> {
    for (let backoffMs = MIN_BACKOFF_MS; !this.#isClosing(); backoffMs = Math.min(2 * backoffMs, MAX_BACKOFF_MS)) {
      try {
        await work();
        return;
      } catch (error) {
        this.#problem = problemOf(error);
        if (!this.#isClosing()) this.#logFailure(failure, fields, error);
        // Instances that were started together do not knock together.
        await pause(backoffMs * (0.5 + Math.random() / 2), this.#stop.signal);
      }
    }
  }

  /** One line for each new reason and one a minute for the same: an outage must not fill a disk. */
  #logFailure(message: string, fields: object, error: unknown): void {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const now = this.#options.clock.now();
    if (reason === this.#lastLine.reason && now - this.#lastLine.at < MS_BETWEEN_EQUAL_LINES) return;
    this.#lastLine = { reason, at: now };
    const level = isRefusal(error) ? 'error' : 'warn';
    this.#options.log[level]({ ...fields, err: error }, message);
  }
}

function problemOf(error: unknown): string {
  const isGone = toStoreError(error) !== undefined && !isRefusal(error);
  if (error instanceof StructureError && !isGone) return `lacks ${error.missing.join(', ')}`;
  return isRefusal(error) ? REFUSED : NO_ANSWER;
}
