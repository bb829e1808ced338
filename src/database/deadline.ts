/**
 * How long a request may wait for the store. The driver has no deadline of its own that holds (`timeoutMS` does
 * nothing and `maxTimeMS` needs a server that answers), but every operation takes an AbortSignal.
 *
 * An operation that its signal cuts off may still be carried out: the driver closes the connection, but a server that
 * has read the command finishes it. So 503 means "unknown", and every write is safe to repeat.
 */
import { aborted } from 'node:util';
import type { Request } from 'restify';

/** Milliseconds that all operations of one request together may take, so that 503 comes within 3 s. */
export const DEADLINE_MS = 2500;
/** Milliseconds that each step of an operator's command may take. */
export const COMMAND_MS = 30_000;

/** Why an operation was cut off. */
export class DeadlineError extends Error {
  constructor(ms: number) {
    super(`the store did not answer within ${ms} ms`);
  }

  // Not "TimeoutError": the driver would take that for its own. And not an own property: the driver copies those onto
  // its bulk errors, where `name` cannot be set.
  override get name(): string {
    return 'DeadlineError';
  }
}

/** A signal that aborts after `ms` milliseconds. It does not keep the process alive. */
export function requestDeadline(ms: number = DEADLINE_MS): AbortSignal {
  return startDeadline(ms).signal;
}

function startDeadline(ms: number): { signal: AbortSignal; timer: NodeJS.Timeout } {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new DeadlineError(ms));
  }, ms);
  return { signal: controller.signal, timer: timer.unref() };
}

/** The time for work in several steps. */
export interface WorkTime {
  /** Aborts when it is over. */
  readonly signal: AbortSignal;
  /** Restarts the time after a finished step: large work that makes progress does not mean that the store is down. */
  readonly extend: () => void;
}

/** How long the requests of one server may wait for the store. */
export class StoreTime {
  readonly #ms: number;
  readonly #spentMs = new WeakMap<Request, number>();
  readonly #running = new WeakMap<Request, { signal: AbortSignal; timer: NodeJS.Timeout }>();

  /** @param ms for tests: a slow machine does not mean that the store is down. */
  constructor(ms: number = DEADLINE_MS) {
    this.#ms = ms;
  }

  /**
   * Aborts when the time that the store has for this request is over. The time starts when this is first called, so call
   * it when the body is read: what a slow client takes to send it is not the store's.
   */
  signalOf(req: Request): AbortSignal {
    const running = this.#running.get(req) ?? startDeadline(this.#leftMs(req));
    this.#running.set(req, running);
    return running.signal;
  }

  /** Separate time for a request inside another one. */
  begin(): WorkTime & { end: () => void } {
    const { signal, timer } = startDeadline(this.#ms);
    return {
      signal,
      extend: () => {
        timer.refresh();
      },
      end: () => {
        clearTimeout(timer);
      },
    };
  }

  /** Restarts the request's time: large work that makes progress does not mean that the store is down. */
  extend(req: Request): void {
    this.#running.get(req)?.timer.refresh();
  }

  /** Call it when the request is answered: nothing is left to cut off. */
  end(req: Request): void {
    clearTimeout(this.#running.get(req)?.timer);
  }

  /** Runs what must be done before the body is read. It counts against the request's time. */
  async within<T>(req: Request, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const start = performance.now();
    const { signal, timer } = startDeadline(this.#leftMs(req));
    try {
      return await work(signal);
    } finally {
      clearTimeout(timer);
      this.#spentMs.set(req, (this.#spentMs.get(req) ?? 0) + performance.now() - start);
    }
  }

  #leftMs(req: Request): number {
    return Math.max(1, this.#ms - (this.#spentMs.get(req) ?? 0));
  }
}

/** Rejects with the signal's reason when it aborts: for work that takes no signal. */
export async function untilOver(signal: AbortSignal): Promise<never> {
  await aborted(signal, signal);
  throw signal.reason;
}

/** An operation's option, for work that has several: each has the time of a request for itself, or that of a command. */
export function inTime(ms: number = DEADLINE_MS): object {
  return withSignal(requestDeadline(ms));
}

/** An operation's option. The driver takes a signal for every operation; its types say so only for some. */
export function withSignal(signal: AbortSignal | undefined): object {
  return signal === undefined ? {} : { signal };
}
