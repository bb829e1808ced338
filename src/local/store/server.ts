import { createServer, type Server, type Socket } from 'node:net';
import type { Executor, Log } from './executor.ts';
import { encodeReply, MessageReader, WireError, type Message } from './wire.ts';

const CLOSE_MS = 500;

let lastConnectionId = 0;

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
    const connectionId = (lastConnectionId += 1);
    const reader = new MessageReader();
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('drain', () => socket.resume());
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy()); // the client is gone, which is its own business
    socket.on('data', (chunk) => {
      try {
        for (const message of reader.read(chunk)) this.#take(message, connectionId, socket);
      } catch (error) {
        this.#refuse(error, socket);
      }
    });
  }

  #take(message: Message, connectionId: number, socket: Socket): void {
    this.#executor.add({
      message,
      connectionId,
      reply: (body) => {
        if (!socket.writable) return;
        // No more commands from a client before it has read its answers.
        if (!socket.write(encodeReply(message, body))) socket.pause();
      },
    });
  }

  /** After what is not a message, nothing on this connection can be understood. */
  #refuse(error: unknown, socket: Socket): void {
    if (error instanceof WireError)
      this.#log.warn({ reason: error.message }, 'closed a connection that does not speak the protocol');
    else this.#log.error({ err: error }, 'closed a connection of the embedded store');
    socket.destroy();
  }
}
