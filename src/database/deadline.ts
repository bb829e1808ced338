/**
 * How long a request may wait for the store. The driver has no deadline of its own that holds (`timeoutMS` does
 * nothing and `maxTimeMS` needs a server that answers), but every operation takes an AbortSignal.
 *
 * An operation that is cut off by its signal may still be carried out: the driver closes the connection, and a
 * server that has read the command finishes it. So 503 means "unknown", and every write is safe to repeat.
 */
import type { Request } from 'restify';

/** Milliseconds that all operations of one request together may take, so that 503 comes within 3 s. */
export const DEADLINE_MS = 2500;

/** Why an operation was cut off. */
export class DeadlineError extends Error {
  constructor(ms: number) {
    super(`the store did not answer within ${ms} ms`);
  }

  // Not "TimeoutError": the driver would take that for its own. And no property of the instance: the driver copies
  // those onto its bulk errors, where `name` cannot be set.
  override get name(): string {
    return 'DeadlineError';
  }
}

/** A signal that aborts after `ms` milliseconds. It keeps no process alive. */
export function requestDeadline(ms: number = DEADLINE_MS): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => {
    controller.abort(new DeadlineError(ms));
  }, ms).unref();
  return controller.signal;
}

const spentMs = new WeakMap<Request, number>();
const deadlines = new WeakMap<Request, AbortSignal>();

/**
 * Aborts when the time that the store has for this request is over. The time starts when this is first called, so call
 * it when the body is read: what a slow client takes to send it is not the store's.
 */
export function deadlineOf(req: Request): AbortSignal {
  const deadline = deadlines.get(req) ?? requestDeadline(leftMs(req));
  deadlines.set(req, deadline);
  return deadline;
}

/** Runs what must be done before the body is read. The time it takes is taken off the request's deadline. */
export async function withinDeadline<T>(req: Request, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work(requestDeadline(leftMs(req)));
  } finally {
    spentMs.set(req, (spentMs.get(req) ?? 0) + performance.now() - start);
  }
}

function leftMs(req: Request): number {
  return Math.max(1, DEADLINE_MS - (spentMs.get(req) ?? 0));
}

/** An operation's option. The driver takes a signal for every operation; its types say so only for some. */
export function withSignal(signal: AbortSignal | undefined): object {
  return signal === undefined ? {} : { signal };
}
