import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import type { Clock } from '../clock.ts';
import { requestDeadline } from './deadline.ts';
import { isRefusal, toStoreError } from './errors.ts';
import { connectOptions, hostsOf } from './options.ts';
import { createConnection, isEmbedded, type Log, type OpenStore, openStore } from './store.ts';
import { ensureStructure, StructureError } from './structure.ts';

export interface DatabaseOptions {
  /** `mongodb://…`, `mongodb+srv://…` or `embedded:<directory>`. */
  uri: string;
  clock: Clock;
  log: Log;
  /** Warn about the embedded store. */
  isProduction?: boolean;
}

const NO_ANSWER = 'does not answer';
const REFUSED = 'refuses the credentials';
const MIN_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 2000;
const MS_BETWEEN_EQUAL_LINES = 60_000;

const PING_MS = 2000;
const PING_WHEN_FAILING_MS = 1000;
const PING_DEADLINE_MS = 2000;
/** A single ping can fail because of a lost connection; the next gets a new one. */
const FAILURES_TOLERATED = 1;

/**
 * The store, connected and pinged in the background, so that no probe ever waits for it: the state here follows within 8 s of
 * losing it, and within 2 s of the driver finding it again.
 */
export class Database {
  /** Models are made on it, never on the global mongoose, and before `start`. */
  readonly connection = createConnection();
  readonly #options: DatabaseOptions;
  readonly #stop = new AbortController();
  #store: OpenStore | undefined;
  #running: Promise<void> | undefined;
  #isAlive = false;
  #problem = NO_ANSWER;
  #lastLine = { reason: '', at: 0 };

  /** Opens nothing; `start` does. */
  constructor(options: DatabaseOptions) {
    this.#options = options;
  }

  /**
   * Opens the store. If the server is not there, waits for it in the background, for ever.
   *
   * @throws {StoreStartError} when it can never be had with this URI.
   */
  async start(): Promise<void> {
    if (isEmbedded(this.#options.uri) && this.#options.isProduction) {
      this.#options.log.warn({}, 'the embedded store is for development: use a MongoDB server in production');
    }
    this.#store = await openStore(this.#options);
    this.#running = this.#run(this.#store.uri);
  }

  /** Whether the store answers and has its collections and indexes. From memory: costs nothing. */
  isReady(): boolean {
    return this.#isAlive && !this.#isClosing();
  }

  /** Why it is not ready, such as `lacks the index owner_1 of the collection syncs`. From memory too. */
  problem(): string | undefined {
    return this.isReady() ? undefined : this.#problem;
  }

  /** Interrupts what is still in flight, so drain first. */
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
    await this.#watch();
  }

  /** Asks again and again until the database is closed. Never throws. */
  async #watch(): Promise<void> {
    for (let failures = 0; !this.#isClosing();) {
      const error = await this.#ping();
      failures = error === undefined ? 0 : failures + 1;
      const isAlive = failures === 0 || (this.#isAlive && failures <= FAILURES_TOLERATED);
      if (isAlive !== this.#isAlive) this.#noteChange(isAlive, error);
      await this.#pause(failures === 0 ? PING_MS : PING_WHEN_FAILING_MS);
    }
  }

  /** Resolves to what went wrong, if anything did. */
  async #ping(): Promise<unknown> {
    try {
      await this.connection.db?.command({ ping: 1 }, { signal: requestDeadline(PING_DEADLINE_MS) });
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #noteChange(isAlive: boolean, err: unknown): void {
    this.#isAlive = isAlive;
    this.#problem = isRefusal(err) ? REFUSED : NO_ANSWER;
    if (isAlive) this.#options.log.info({}, 'store ready');
    else this.#options.log.error({ err }, 'store not ready');
  }

  /** Waits, but no longer than the process wants to live. */
  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined);
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
        await this.#pause(backoffMs * (0.5 + Math.random() / 2));
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
