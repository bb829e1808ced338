import { createServer, type Server, type Socket } from 'node:net';
import type { Client } from './commands/dispatch.ts';
import type { Executor, Log } from './executor.ts';
import { encodeReply, type Message, MessageReader, WireError } from './wire.ts';

const CLOSE_MS = 500;

/** Messages of one client that may wait for their turn; it is not read any further then. */
const MAX_WAITING = 100;

let lastClientId = 0;

/** Speaks the wire protocol with every client of a socket. */
export class WireServer {
  readonly #executor: Executor;
  readonly #log: Log;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(executor: Executor, log: Log) {
    this.#executor = executor;
    this.#log = log;
    this.#server = createServer((socket) => {
      this.#serve(socket);
    });
  }

  /** Rejects with what `listen` reports. */
  async listen(where: { path: string } | { host: string; port: number }): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(where, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#server.on('error', (error) => {
      this.#log.error({ err: error }, 'the socket of the embedded store failed');
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) =>
      this.#server.close(() => {
        resolve();
      }),
    );
    for (const socket of this.#sockets) {
      socket.destroySoon();
      // A client that does not read its answers keeps nobody waiting.
      setTimeout(() => socket.destroy(), CLOSE_MS).unref();
    }
    await closed;
  }

  #serve(socket: Socket): void {
    const reader = new MessageReader();
    const connection = new Connection(socket, this.#executor);
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy()); // the client is gone, which is its own business
    socket.on('data', (chunk) => {
      try {
        for (const message of reader.read(chunk)) connection.take(message);
      } catch (error) {
        this.#refuse(error, socket);
      }
    });
  }

  /** After what is not a message, nothing on this connection can be understood. */
  #refuse(error: unknown, socket: Socket): void {
    if (error instanceof WireError) {
      this.#log.warn({ reason: error.message }, 'closed a connection that does not speak the protocol');
    } else this.#log.error({ err: error }, 'closed a connection of the embedded store');
    socket.destroy();
  }
}

/** One client. Its commands are carried out in their order, each when the one before is answered. */
class Connection {
  readonly #socket: Socket;
  readonly #executor: Executor;
  readonly #client: Client;
  readonly #waiting: Message[] = [];
  #isBusy = false;

  constructor(socket: Socket, executor: Executor) {
    this.#socket = socket;
    this.#executor = executor;
    this.#client = { id: (lastClientId += 1), isGone: () => socket.destroyed };
    socket.on('drain', () => {
      this.#readOn();
    });
  }

  take(message: Message): void {
    this.#waiting.push(message);
    if (this.#waiting.length > MAX_WAITING) this.#socket.pause();
    this.#next();
  }

  #next(): void {
    if (this.#isBusy) return;
    const message = this.#waiting.shift();
    if (message === undefined) return;
    this.#isBusy = true;
    this.#executor.add({
      message,
      client: this.#client,
      done: (body) => {
        this.#isBusy = false;
        if (body !== undefined) this.#answer(message, body);
        this.#next();
        this.#readOn();
      },
    });
  }

  #answer(message: Message, body: Uint8Array): void {
    if (!this.#socket.writable) return;
    // No more commands from a client before it has read its answers.
    if (!this.#socket.write(encodeReply(message, body))) this.#socket.pause();
  }

  #readOn(): void {
    if (this.#socket.isPaused() && !this.#socket.writableNeedDrain && this.#waiting.length <= MAX_WAITING) {
      this.#socket.resume();
    }
  }
}
