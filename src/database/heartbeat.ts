import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mongoose';
import { requestDeadline } from './deadline.ts';

const INTERVAL_MS = 2000;
const INTERVAL_WHEN_FAILING_MS = 1000;
const PING_DEADLINE_MS = 2000;
/** One ping can fail for a lost connection alone; the next one gets a new connection. */
const FAILURES_TOLERATED = 1;

/**
 * Knows from memory whether the store answers: asks it in the background, so that no probe ever waits for the store.
 * Follows it within 8 s when it goes, and within 2 s of the driver's finding it again.
 */
export class Heartbeat {
  isAlive = false;
  readonly #connection: Connection;
  readonly #onChange: (isAlive: boolean, error?: unknown) => void;

  constructor(connection: Connection, onChange: (isAlive: boolean, error?: unknown) => void) {
    this.#connection = connection;
    this.#onChange = onChange;
  }

  /** Runs until the signal aborts; never throws. */
  async run(stop: AbortSignal): Promise<void> {
    let failures = 0;
    while (!stop.aborted) {
      const error = await this.#ping();
      failures = error === undefined ? 0 : failures + 1;
      this.#update(failures === 0 || (this.isAlive && failures <= FAILURES_TOLERATED), error);
      await pause(failures === 0 ? INTERVAL_MS : INTERVAL_WHEN_FAILING_MS, stop);
    }
  }

  #update(isAlive: boolean, error: unknown): void {
    if (isAlive === this.isAlive) return;
    this.isAlive = isAlive;
    this.#onChange(isAlive, error);
  }

  async #ping(): Promise<unknown> {
    try {
      await this.#connection.db?.command({ ping: 1 }, { signal: requestDeadline(PING_DEADLINE_MS) });
      return undefined;
    } catch (error) {
      return error;
    }
  }
}

/** Waits, but no longer than the process wants to live. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop, ref: false }).catch(() => undefined);
}
