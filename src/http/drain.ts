/** A clean end: what is in flight is answered, nobody new is let in, and nothing holds the process for ever. */
import type { Server as HttpServer, ServerResponse } from 'node:http';

export interface Drain {
  readonly isDraining: boolean;
  /** Stops accepting; resolves when the last connection is closed, at the latest after `deadlineMs`. */
  drain(deadlineMs: number): Promise<void>;
}

const SWEEP_MS = 50;

/** Watches the responses of a server, so that it can be drained. */
export function createDrain(httpServer: HttpServer): Drain {
  const open = new Set<ServerResponse>();
  let isDraining = false;

  // First in line: the header must be set before anything is sent.
  httpServer.prependListener('request', (_req, res) => {
    if (isDraining) res.setHeader('Connection', 'close');
    open.add(res);
    res.once('close', () => open.delete(res));
  });

  return {
    get isDraining() {
      return isDraining;
    },
    async drain(deadlineMs) {
      isDraining = true;
      for (const res of open) if (!res.headersSent) res.setHeader('Connection', 'close');
      await closeServer(httpServer, deadlineMs);
    },
  };
}

async function closeServer(httpServer: HttpServer, deadlineMs: number): Promise<void> {
  // Node closes idle connections once, at close(); a keep-alive client that became idle later would hold it open.
  const sweep = setInterval(() => {
    httpServer.closeIdleConnections();
  }, SWEEP_MS);
  const deadline = setTimeout(() => {
    httpServer.closeAllConnections();
  }, deadlineMs);
  await new Promise<void>((resolve) =>
    httpServer.close(() => {
      resolve();
    }),
  );
  clearInterval(sweep);
  clearTimeout(deadline);
}
