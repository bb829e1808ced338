/**
 * One connection. Node's parser takes all that one read brought: 64 KiB hold some thousand pipelined requests, and each of
 * them would be in progress at once. So the bytes behind a request wait here until it is answered, and the client, whose
 * connection is not read meanwhile, waits with them.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Limits } from './limits.ts';

const NOTHING = Buffer.alloc(0);
const END_OF_HEADERS = Buffer.from('\r\n\r\n');
/** A shorter request there is not: `GET / HTTP/1.1`. */
const MIN_HEADER_BYTES = 14;
/** What comes behind the last answer is read up to this size. */
const MAX_DROPPED_BYTES = 10 * 1024 * 1024;
/** Milliseconds that the first request has to begin in, when all connections are to be closed. */
const FIRST_REQUEST_MS = 1_000;

/** What node:http keeps on a socket and does not document. */
interface HttpSocket extends Socket {
  /** Node itself has stopped the parser, until what is to be sent is. */
  _paused?: boolean;
}

export class Connection {
  readonly socket: Socket;
  /** The answer that is being sent: since when, by `performance.now()`, and how much it is. */
  leaving: { readonly since: number; readonly bytes: number } | undefined;
  /** When something last began or ended here, by `performance.now()`. */
  usedAt = performance.now();
  readonly #limits: Limits;
  readonly #isHeld: () => boolean;
  readonly #parse: (bytes: Buffer) => void;
  readonly #finish: () => void;
  readonly #answers = new Set<ServerResponse>();
  #waiting: Buffer = NOTHING;
  #hasPart = false;
  #hasEnded = false;
  #isUsed = false;
  #isClosing = false;
  #droppedBytes = 0;

  /**
   * For a socket that node:http has just taken.
   *
   * @param isHeld whether no further request may begin for now; `proceed` says when that is over.
   */
  constructor(socket: Socket, limits: Limits, isHeld: () => boolean) {
    this.socket = socket;
    this.#limits = limits;
    this.#isHeld = isHeld;
    this.#parse = takeListener(socket, 'data');
    this.#finish = takeListener(socket, 'end');
    socket.on('data', (bytes) => {
      this.#receive(bytes);
    });
    socket.on('end', () => {
      this.#hasEnded = true;
      this.#feed();
    });
    // Node resumes the socket when it reads a body, or has sent something.
    socket.on('resume', () => {
      this.#feed();
    });
    // What node:http calls behind the last answer.
    socket.destroySoon = () => {
      this.closeInStages();
    };
  }

  /** Neither a request nor a part of one is here. */
  get isIdle(): boolean {
    return this.#answers.size === 0 && !this.#hasPart && this.#waiting.length === 0;
  }

  /** Idle, and not just opened: whoever opens a connection is about to send something. */
  get isDone(): boolean {
    return this.isIdle && (this.#isUsed || performance.now() - this.usedAt > FIRST_REQUEST_MS);
  }

  /** A request has come in on this connection. */
  begin(res: ServerResponse): void {
    this.#isUsed = true;
    this.#hasPart = false;
    this.#answers.add(res);
  }

  /** Its answer has left, or never will. */
  end(res: ServerResponse): void {
    this.usedAt = performance.now();
    this.leaving = undefined;
    this.#answers.delete(res);
    this.#feed();
  }

  /** It was held, and no longer is. */
  proceed(): void {
    this.#feed();
  }

  /**
   * RFC 9112, section 9.6: a connection that is closed while something unread is on it is reset, and the client may lose
   * the answer that it has not read yet. So our side ends first, and what still comes is read and dropped for a while.
   */
  closeInStages(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#waiting = NOTHING;
    this.socket.end();
    this.socket.resume();
    const giveUp = setTimeout(() => this.socket.destroy(), this.#limits.lingerMs);
    this.socket.once('close', () => {
      clearTimeout(giveUp);
    });
  }

  #receive(bytes: Buffer): void {
    if (this.#isClosing) {
      this.#drop(bytes);
      return;
    }
    this.#waiting = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes]);
    this.#feed();
  }

  #drop({ length }: Buffer): void {
    this.#droppedBytes += length;
    if (this.#droppedBytes > MAX_DROPPED_BYTES) this.socket.destroy();
  }

  /** Gives the parser what it may have: the request in progress to its end, or else the next one. */
  #feed(): void {
    while (this.#waiting.length > 0 && this.#mayParse()) {
      const end = endOfHeaders(this.#waiting);
      const part = this.#waiting.subarray(0, end);
      this.#waiting = this.#waiting.subarray(end);
      this.#hasPart = this.#answers.size === 0;
      this.#parse(part);
    }
    if (this.#waiting.length > 0) this.socket.pause();
    else if (this.#hasEnded) this.#end();
    else if (this.socket.isPaused()) this.socket.resume();
  }

  /** The client will say no more. It gets the answers that it is owed. */
  #end(): void {
    this.#hasEnded = false;
    if (!this.#isClosing) this.#finish();
  }

  #mayParse(): boolean {
    if (this.#isClosing || (this.socket as HttpSocket)._paused === true) return false;
    for (const { req } of this.#answers) if (req.complete) return false;
    return this.#answers.size > 0 || this.#hasPart || !this.#isHeld();
  }
}

/** Takes the place of node:http, whose listener is the one added last. */
function takeListener(socket: Socket, event: 'data' | 'end'): (bytes?: Buffer) => void {
  const listener = socket.listeners(event).at(-1) as ((bytes?: Buffer) => void) | undefined;
  if (listener === undefined) throw new Error(`node:http does not listen to '${event}' of its socket`);
  socket.removeListener(event, listener);
  return listener;
}

/** Where the first request ends that has no body. More than one head is never in it. */
function endOfHeaders(bytes: Buffer): number {
  const at = bytes.indexOf(END_OF_HEADERS, MIN_HEADER_BYTES);
  return at < 0 ? bytes.length : at + END_OF_HEADERS.length;
}
