/**
 * All connections of a server, and the answers on them that clients have not read yet: both bounded. And their end: what was
 * sent is answered, no new connection is accepted, and nothing holds the process for ever.
 */
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { Connection, type Exchange } from './connection.ts';
import type { Limits } from './limits.ts';

/** Milliseconds between two looks for connections that can be closed during shutdown. */
const SWEEP_MS = 50;
/** Milliseconds without a new connection after which all clients that wait for an answer count as let in, before the end. */
const QUIET_MS = 50;
/** Milliseconds that this may take. */
const MAX_QUIET_MS = 1_000;

export class Connections {
  readonly limits: Limits;
  /** Those on which a request is waiting for the end of a hold. */
  readonly held = new Set<Connection>();
  /** Requests that wait behind others. */
  waiting = 0;
  readonly #httpServer: HttpServer;
  readonly #answer: (req: IncomingMessage, res: ServerResponse) => void;
  readonly #open = new Map<Socket, Connection>();
  #unreadBytes = 0;
  /** Connections accepted so far. */
  #accepted = 0;
  #holds = 0;
  #isDraining = false;

  /** For a server that already has a listener for requests: it gets them when it is their turn. */
  constructor(httpServer: HttpServer, limits: Limits) {
    this.limits = limits;
    this.#httpServer = httpServer;
    this.#answer = takeListener(httpServer);
    httpServer.on('connection', (socket: Socket) => {
      this.#accept(socket);
    });
    httpServer.on('request', (req: IncomingMessage, res: ServerResponse) => {
      this.of(req.socket)?.take({ req, res });
    });
    const sweep = setInterval(() => {
      this.#cutUnread();
    }, limits.checkMs).unref();
    httpServer.once('close', () => {
      clearInterval(sweep);
    });
  }

  /** No connection is kept alive for another request. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Whether requests must wait for now. */
  get isHolding(): boolean {
    return this.#holds > 0;
  }

  /** Undefined for a closed socket. */
  of(socket: Socket): Connection | undefined {
    return this.#open.get(socket);
  }

  /** Has a request answered. */
  begin(connection: Connection, { req, res }: Exchange): void {
    this.#watch(connection, req, res);
    this.#answer(req, res);
  }

  /**
   * Closes each connection after its next answer, goes on accepting for `graceMs`, then until no client comes any more, then
   * stops accepting. Without a grace it stops at once. Resolves when the last connection is closed, at the latest after
   * `deadlineMs`.
   */
  async drain(deadlineMs: number, graceMs = 0): Promise<void> {
    this.#isDraining = true;
    const endAt = performance.now() + deadlineMs;
    await sleep(graceMs);
    // When a server stops listening, the kernel resets the connections in its accept queue, whatever was sent on them. That
    // takes a moment, and longer on a busy machine, so clients are first made to wait: then none of them connects meanwhile.
    await this.#letAllIn(Math.min(QUIET_MS, graceMs), MAX_QUIET_MS, () => {
      // Not `httpServer.close()`: it would destroy idle connections without checking what was sent on them.
      NetServer.prototype.close.call(this.#httpServer);
    });
    while (this.#open.size > 0) {
      const isLate = performance.now() >= endAt;
      for (const connection of this.#open.values()) {
        if (isLate) connection.socket.destroy();
        else if (connection.isDone) connection.closeInStages();
      }
      await sleep(SWEEP_MS);
    }
  }

  #accept(socket: Socket): void {
    if (this.#open.size >= this.limits.connections && !this.#makeRoom()) {
      socket.destroy();
      return;
    }
    this.#open.set(socket, new Connection(socket, this));
    socket.once('close', () => this.#open.delete(socket));
    if (!this.isHolding) void this.#letAllIn(0, this.limits.acceptMs);
    this.#accepted += 1;
  }

  /**
   * Nothing begins until no connection has come for `quietMs` and in a turn of the event loop after them, since one that was
   * long did not see who came meanwhile; and `last` was done. libuv accepts one per turn, so turns are kept short while more
   * come: otherwise the last of many would wait for everything that the others ask meanwhile. A waiting client opens no
   * further one.
   */
  async #letAllIn(quietMs: number, maxMs: number, last?: () => void): Promise<void> {
    let now = performance.now();
    const endAt = now + maxMs;
    let quietAt = now + quietMs;
    this.#holds += 1;
    let startedAt: number;
    do {
      const accepted = this.#accepted;
      startedAt = now;
      await turn();
      now = performance.now();
      if (this.#accepted !== accepted) quietAt = now + quietMs;
    } while (now < endAt && startedAt < quietAt);
    last?.();
    this.#holds -= 1;
    if (this.isHolding) return;
    const held = [...this.held];
    this.held.clear();
    for (const connection of held) connection.proceed();
  }

  #makeRoom(): boolean {
    const idle = first(this.#open.values(), (connection) => (connection.isIdle ? connection.usedAt : undefined));
    idle?.socket.destroy();
    return idle !== undefined && this.#open.delete(idle.socket);
  }

  #watch(connection: Connection, req: IncomingMessage, res: ServerResponse): void {
    // Restify emits this when it is about to send the head, even if the client is gone.
    res.on('header', () => {
      if (res.closed) return;
      // The rest of an unread body is not the next request.
      if (this.#isDraining || !req.complete) res.setHeader('Connection', 'close');
      this.#leave(connection, Number(res.getHeader('Content-Length') ?? 0));
    });
    // Of an answer that is produced while it is sent.
    res.on('piece', (bytes: number) => {
      if (!res.closed) this.#leave(connection, bytes);
    });
    res.on('close', () => {
      this.#unreadBytes -= connection.leaving?.bytes ?? 0;
      connection.end();
    });
  }

  #leave(connection: Connection, bytes: number): void {
    this.#unreadBytes += bytes - (connection.leaving?.bytes ?? 0);
    connection.leaving = { since: performance.now(), bytes };
    let excess = this.#unreadBytes - this.limits.unreadBytes;
    while (excess > 0) {
      const oldest = first(this.#open.values(), ({ leaving, socket }) =>
        socket.destroyed ? undefined : leaving?.since,
      );
      if (oldest === undefined || oldest === connection) return;
      excess -= oldest.leaving?.bytes ?? 0;
      oldest.socket.destroy();
    }
  }

  #cutUnread(): void {
    const late = performance.now() - this.limits.answerMs;
    for (const { leaving, socket } of this.#open.values()) {
      if (leaving !== undefined && leaving.since < late) socket.destroy();
    }
  }
}

/** The connection with the earliest time, of those that have one. */
function first(all: Iterable<Connection>, timeOf: (one: Connection) => number | undefined): Connection | undefined {
  let [found, earliest]: [Connection | undefined, number] = [undefined, Infinity];
  for (const connection of all) {
    const time = timeOf(connection);
    if (time !== undefined && time < earliest) [found, earliest] = [connection, time];
  }
  return found;
}

/** Replaces the one listener that answers. */
function takeListener(httpServer: HttpServer): (req: IncomingMessage, res: ServerResponse) => void {
  const [listener, ...others] = httpServer.listeners('request');
  if (listener === undefined || others.length > 0) throw new Error('one listener is to answer');
  httpServer.removeAllListeners('request');
  return listener as (req: IncomingMessage, res: ServerResponse) => void;
}
