/** A clean end: what was sent is answered, nobody new is let in, and nothing holds the process for ever. */
import type { Server as HttpServer } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Connections } from './connections.ts';

export interface Drain {
  readonly isDraining: boolean;
  /**
   * Closes each connection behind its next answer and goes on accepting for `graceMs`, then stops accepting. Resolves
   * when the last connection is closed, at the latest after `deadlineMs`.
   */
  drain(deadlineMs: number, graceMs?: number): Promise<void>;
}

const SWEEP_MS = 50;
/** Turns of the event loop without a new connection: libuv accepts one a turn. */
const QUIET_TURNS = 50;
/** Milliseconds that the queue of those who wait to be accepted may take to become empty. */
const MAX_HOLD_MS = 1_000;

export function createDrain(httpServer: HttpServer, connections: Connections): Drain {
  return {
    get isDraining() {
      return connections.isClosing;
    },
    async drain(deadlineMs, graceMs = 0) {
      connections.isClosing = true;
      const endAt = performance.now() + deadlineMs;
      await sleep(graceMs);
      connections.hold();
      await emptyAcceptQueue(httpServer);
      const closed = stopListening(httpServer);
      connections.release();
      await close(closed, connections, endAt);
    },
  };
}

/**
 * The kernel resets connections that wait to be accepted when a server stops listening, whatever was sent on them. So for
 * a moment all are accepted and none is answered: turns are short then, and a client that waits opens no further one.
 */
async function emptyAcceptQueue(httpServer: HttpServer): Promise<void> {
  const endAt = performance.now() + MAX_HOLD_MS;
  let quietTurns = 0;
  const onConnection = (): void => {
    quietTurns = 0;
  };
  httpServer.on('connection', onConnection);
  for (; quietTurns < QUIET_TURNS && performance.now() < endAt; quietTurns += 1) await turn();
  httpServer.removeListener('connection', onConnection);
}

/** Not `httpServer.close()`: it would destroy idle connections without a look at what was sent on them. */
function stopListening(httpServer: HttpServer): Promise<void> {
  return new Promise((resolve) =>
    NetServer.prototype.close.call(httpServer, () => {
      resolve();
    }),
  );
}

async function close(closed: Promise<void>, connections: Connections, endAt: number): Promise<void> {
  const sweep = setInterval(() => {
    if (performance.now() < endAt) connections.closeIdle();
    else connections.destroyAll();
  }, SWEEP_MS);
  await closed;
  clearInterval(sweep);
}
