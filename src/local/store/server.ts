import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Executor, Log } from './executor.ts';
import { encodeReply, MessageReader, WireError } from './wire.ts';

const CLOSE_MS = 500;

/** Speaks the wire protocol with every client of a socket. */
export class WireServer {
  readonly #executor: Executor;
  readonly #log: Log;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(executor: Executor, log: Log) {
    this.#executor = executor;
    this.#log = log;
    this.#server = createServer((socket) => void this.#serve(socket));
  }

  /** Rejects with what `listen` reports. */
  async listen(where: { path: string } | { host: string; port: number }): Promise<void> {
    this.#server.listen(where);
    await once(this.#server, 'listening');
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
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) {
      socket.destroySoon();
      // A client that does not read its answers must not keep us waiting.
      setTimeout(() => socket.destroy(), CLOSE_MS).unref();
    }
    await closed;
  }

  /** Answers one client, one command at a time: the next is read only when it has taken the answer. */
  async #serve(socket: Socket): Promise<void> {
    const reader = new MessageReader();
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined); // the client is gone
    try {
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        for (const message of reader.read(chunk)) {
          const answer = await this.#executor.run(message);
          if (!message.moreToCome) await send(socket, encodeReply(message, answer));
        }
      }
    } catch (error) {
      // After an invalid message, nothing more on this connection can be understood.
      if (error instanceof WireError) {
        this.#log.warn({ reason: error.message }, 'closed a connection that does not speak the protocol');
      } else if (socket.errored === null && (error as NodeJS.ErrnoException).code === undefined) {
        this.#log.error({ err: error }, 'closed a connection of the embedded store');
      }
    }
  }
}

/** Resolves when it was sent, or the client is gone. */
function send(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    socket.write(bytes, () => {
      resolve();
    });
  });
}
