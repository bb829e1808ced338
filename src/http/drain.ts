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
/**
 * Turns of the event loop without a new connection: libuv accepts one a turn. Waiting longer loses more: the kernel of a
 * client that finds the queue full in the middle of its handshake takes the connection for open.
 */
const QUIET_TURNS = 5;
const MAX_TURNS = 2_000;

export function createDrain(httpServer: HttpServer, connections: Connections): Drain {
  return {
    get isDraining() {
      return connections.isClosing;
    },
    async drain(deadlineMs, graceMs = 0) {
      connections.isClosing = true;
      const endAt = performance.now() + deadlineMs;
      await sleep(graceMs);
      await emptyAcceptQueue(httpServer);
      await close(httpServer, connections, endAt);
    },
  };
}

/**
 * The kernel resets connections that wait to be accepted when a server stops listening, whatever was sent on them. So its
 * queue is made as short as can be first: who does not get in tries again, and is refused then.
 */
async function emptyAcceptQueue(httpServer: HttpServer): Promise<void> {
  (httpServer as HttpServer & { _handle: ListenHandle | null })._handle?.listen?.(0);
  let quietTurns = 0;
  const onConnection = (): void => {
    quietTurns = 0;
  };
  httpServer.on('connection', onConnection);
  for (let turns = 0; quietTurns < QUIET_TURNS && turns < MAX_TURNS; turns += 1) {
    quietTurns += 1;
    await turn();
  }
  httpServer.removeListener('connection', onConnection);
}

/** What node:net listens with. It offers no way to change the length of the queue later, as `listen(2)` does. */
interface ListenHandle {
  listen?: (backlog: number) => number;
}

/** Not `httpServer.close()`: it would destroy idle connections without a look at what was sent on them. */
async function close(httpServer: HttpServer, connections: Connections, endAt: number): Promise<void> {
  const sweep = setInterval(() => {
    if (performance.now() < endAt) connections.closeIdle();
    else connections.destroyAll();
  }, SWEEP_MS);
  await new Promise<void>((resolve) =>
    NetServer.prototype.close.call(httpServer, () => {
      resolve();
    }),
  );
  clearInterval(sweep);
}
