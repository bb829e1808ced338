/**
 * One connection. Node parses everything that one read brought: 64 KiB hold about a thousand pipelined requests, which would
 * all be in progress at once. So each waits here for the one before it, and the client waits with them, because its connection
 * is not read meanwhile. Keeping the bytes from the parser was tried: without its own reading, each request costs a fifth more.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { hasBody } from './body.ts';
import type { Connections } from './connections.ts';

/** How much is read after the last answer. */
const MAX_DROPPED_BYTES = 10 * 1024 * 1024;
/** Milliseconds within which the first request must begin once all connections are to be closed. */
const FIRST_REQUEST_MS = 1_000;

/** A request with its answer. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

export class Connection {
  readonly socket: Socket;
  /** The answer being sent: since when, by `performance.now()`, and its size. */
  leaving: { readonly since: number; readonly bytes: number } | undefined;
  /** When something last began or ended here, by `performance.now()`. */
  usedAt = performance.now();
  readonly #all: Connections;
  readonly #waiting: Exchange[] = [];
  #current: Exchange | undefined;
  #refuse: (() => void) | undefined;
  /** What had been read when last all was answered. */
  #answeredBytes = 0;
  #isUsed = false;
  #isClosing = false;
  #droppedBytes = 0;

  /** For a socket that node:http has just taken. */
  constructor(socket: Socket, all: Connections) {
    this.socket = socket;
    this.#all = all;
    // Node resumes it when it reads a body, or has sent something.
    socket.on('resume', () => {
      if (this.#waiting.length > 0 && !this.#isClosing) socket.pause();
    });
    socket.once('close', () => {
      all.waiting -= this.#waiting.length;
    });
    // What node:http calls behind the last answer.
    socket.destroySoon = () => {
      this.closeInStages();
    };
  }

  /** There is no request, nor a part of one. */
  get isIdle(): boolean {
    return this.#isFree && this.socket.bytesRead === this.#answeredBytes;
  }

  /** Idle, and not just opened: whoever opens a connection is about to send. */
  get isDone(): boolean {
    return this.isIdle && (this.#isUsed || performance.now() - this.usedAt > FIRST_REQUEST_MS);
  }

  get #isFree(): boolean {
    return this.#current === undefined && this.#waiting.length === 0;
  }

  /** A request has come in on this connection. */
  take(exchange: Exchange): void {
    this.#isUsed = true;
    if (this.#isFree && !this.#isClosing && !this.#all.isHolding) this.#begin(exchange);
    else this.#wait(exchange);
  }

  /** The answer has been sent, or never will be. */
  end(): void {
    this.usedAt = performance.now();
    this.leaving = undefined;
    this.#current = undefined;
    this.proceed();
  }

  /** Begins the next request if nothing stands in its way. */
  proceed(): void {
    if (this.#current !== undefined || this.#isClosing || this.socket.destroyed) return;
    if (this.#waiting.length > 0 && this.#all.isHolding) {
      this.#all.held.add(this);
      return;
    }
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#answeredBytes = this.socket.bytesRead;
      this.#refuse?.();
    } else {
      this.#all.waiting -= 1;
      this.#begin(next);
    }
    if (this.#waiting.length === 0 && this.socket.isPaused()) this.socket.resume();
  }

  /** The last bytes, and so all that follow, are invalid: refuses them once the complete requests are answered. */
  refuseLast(refuse: () => void): void {
    if (this.#waiting.at(-1)?.req.complete === false) {
      this.#waiting.pop();
      this.#all.waiting -= 1;
    }
    if (this.#isFree) refuse();
    else if (this.#waiting.length > 0 || this.#current?.req.complete === true) this.#refuse = refuse;
    // A second answer inside the first would be read as part of it, and the first one closes the connection.
    else if (this.#current?.res.headersSent === false) refuse();
  }

  /**
   * RFC 9112, section 9.6: closing a connection with unread data resets it, and the client may lose an answer that it has
   * not read yet. So our side ends first, and for a while we read and drop what still comes.
   */
  closeInStages(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#takeFromParser();
    this.socket.end();
    this.socket.resume();
    // The parser may have stopped it, and the stream has taken it for reading ever since the connection began.
    this.socket._read(0);
    const giveUp = setTimeout(() => this.socket.destroy(), this.#all.limits.lingerMs);
    this.socket.once('close', () => {
      clearTimeout(giveUp);
    });
  }

  #begin(exchange: Exchange): void {
    this.#current = exchange;
    const begin = (): void => {
      this.#all.begin(this, exchange);
    };
    // The parser has more of it at hand, and a body that is there by then is not one that was not waited for.
    if (hasBody(exchange.req)) setImmediate(begin);
    else begin();
  }

  #wait(exchange: Exchange): void {
    if (this.#all.waiting >= this.#all.limits.waitingRequests) this.socket.destroy();
    if (this.socket.destroyed || this.#isClosing) return;
    this.#all.waiting += 1;
    this.#waiting.push(exchange);
    this.socket.pause();
    if (this.#current === undefined) this.#all.held.add(this);
  }

  /** The parser reads by itself, until somebody else listens; then it would still hear of what comes. */
  #takeFromParser(): void {
    this.socket.removeAllListeners('data').removeAllListeners('end');
    this.socket.on('data', ({ length }: Buffer) => {
      this.#droppedBytes += length;
      if (this.#droppedBytes > MAX_DROPPED_BYTES) this.socket.destroy();
    });
  }
}
