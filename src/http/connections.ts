/** All connections of a server, and the answers on them that their clients have not read yet: both bounded. */
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Connection, type Shared } from './connection.ts';
import type { Limits } from './limits.ts';

export class Connections {
  readonly #limits: Limits;
  readonly #open = new Map<Socket, Connection>();
  readonly #shared: Shared;
  #unreadBytes = 0;
  #holds = 0;
  /** Whether a connection was accepted since last looked. */
  #isAnyNew = false;
  #isLettingIn = false;
  /** No connection is kept for another request. */
  isClosing = false;

  /** For a server that is listened to for requests by now: they come when it is their turn. */
  constructor(httpServer: HttpServer, limits: Limits) {
    this.#limits = limits;
    const answer = takeListener(httpServer);
    this.#shared = {
      limits,
      isHolding: () => this.#holds > 0,
      held: new Set(),
      waiting: 0,
      begin: (connection, { req, res }) => {
        this.#watch(connection, req, res);
        answer(req, res);
      },
    };
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

  /** Nothing for a socket that is closed. */
  of(socket: Socket): Connection | undefined {
    return this.#open.get(socket);
  }

  /** Until `release`, as often as it was called, whoever comes is let in, but nothing more is begun. */
  hold(): void {
    this.#holds += 1;
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    const held = [...this.#shared.held];
    this.#shared.held.clear();
    for (const connection of held) connection.proceed();
  }

  /** Closes those on which nothing is going on. */
  closeIdle(): void {
    for (const connection of this.#open.values()) if (connection.isDone) connection.closeInStages();
  }

  destroyAll(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }

  #accept(socket: Socket): void {
    if (this.#open.size >= this.#limits.connections && !this.#makeRoom()) {
      socket.destroy();
      return;
    }
    this.#open.set(socket, new Connection(socket, this.#shared));
    socket.once('close', () => this.#open.delete(socket));
    this.#isAnyNew = true;
    if (!this.#isLettingIn) this.#letAllIn();
  }

  /**
   * libuv accepts one connection a turn of the event loop. So while more come, turns are kept short: the last of many would
   * wait until all that the others ask in the meantime is done.
   */
  #letAllIn(): void {
    const endAt = performance.now() + this.#limits.acceptMs;
    this.#isLettingIn = true;
    this.hold();
    const look = (): void => {
      if (this.#isAnyNew && performance.now() < endAt) {
        this.#isAnyNew = false;
        setImmediate(look);
      } else {
        this.#isLettingIn = false;
        this.release();
      }
    };
    setImmediate(look);
  }

  /** Silent connections are closed before anybody is turned away: holding them all must cost more than opening them. */
  #makeRoom(): boolean {
    const idle = first(this.#open.values(), (connection) => (connection.isIdle ? connection.usedAt : undefined));
    idle?.socket.destroy();
    return idle !== undefined && this.#open.delete(idle.socket);
  }

  #watch(connection: Connection, req: IncomingMessage, res: ServerResponse): void {
    // Restify says so when it is about to send the head, also where nobody is left to get it.
    res.on('header', () => {
      if (res.closed) return;
      // The rest of a body that nobody reads is not the next request.
      if (this.isClosing || !req.complete) res.setHeader('Connection', 'close');
      this.#leave(connection, Number(res.getHeader('Content-Length') ?? 0));
    });
    // Of an answer that is sent while it is made.
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
    let excess = this.#unreadBytes - this.#limits.unreadBytes;
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
    const late = performance.now() - this.#limits.answerMs;
    for (const { leaving, socket } of this.#open.values()) {
      if (leaving !== undefined && leaving.since < late) socket.destroy();
    }
  }
}

/** The connection for which the time is the earliest, of those for which there is one. */
function first(all: Iterable<Connection>, timeOf: (one: Connection) => number | undefined): Connection | undefined {
  let [found, earliest]: [Connection | undefined, number] = [undefined, Infinity];
  for (const connection of all) {
    const time = timeOf(connection);
    if (time !== undefined && time < earliest) [found, earliest] = [connection, time];
  }
  return found;
}

/** Takes the place of the one who answers. */
function takeListener(httpServer: HttpServer): (req: IncomingMessage, res: ServerResponse) => void {
  const [listener, ...others] = httpServer.listeners('request');
  if (listener === undefined || others.length > 0) throw new Error('one listener is to answer');
  httpServer.removeAllListeners('request');
  return listener as (req: IncomingMessage, res: ServerResponse) => void;
}
