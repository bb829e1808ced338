/** MongoDB's wire protocol: a 16 byte header (length, request, answered request, opcode; little endian), then the message. */

export const OP_REPLY = 1;
export const OP_QUERY = 2004;
export const OP_MSG = 2013;
export const MAX_MESSAGE_BYTES = 48_000_000;

const HEADER_BYTES = 16;
const MORE_TO_COME = 2;
// Bits 0 to 15 must be understood by whoever reads the message; the others may be ignored. No driver sends a checksum (bit 0).
const UNKNOWN_REQUIRED = 0xffff & ~MORE_TO_COME;

export interface Message {
  readonly requestId: number;
  readonly opCode: number;
  readonly body: Uint8Array;
  /** Document sequences by the name of the command's member that they stand for. */
  readonly sequences: ReadonlyMap<string, readonly Uint8Array[]>;
  /** The sender waits for no answer. */
  readonly moreToCome: boolean;
}

/** The bytes are not the wire protocol, so the rest of this connection cannot be read. */
export class WireError extends Error {}

/** Splits a stream of bytes into messages. Holds no more memory than what has arrived. */
export class MessageReader {
  #chunks: Buffer[] = [];
  /** How many bytes must have arrived before parsing can go on. */
  #missing = HEADER_BYTES;

  /** @throws {WireError} when the stream does not consist of messages. */
  *read(chunk: Buffer): Generator<Message> {
    this.#chunks.push(chunk);
    this.#missing -= chunk.length;
    if (this.#missing > 0) return;
    let all = Buffer.concat(this.#chunks);
    let length = lengthOf(all);
    for (; all.length >= length; length = lengthOf(all)) {
      yield parseMessage(all.subarray(0, length));
      all = all.subarray(length);
    }
    this.#chunks = [all];
    this.#missing = length - all.length;
  }
}

/** Of the message that begins here, or of its header while that is incomplete. */
function lengthOf(bytes: Buffer): number {
  if (bytes.length < HEADER_BYTES) return HEADER_BYTES;
  const length = bytes.readInt32LE(0);
  if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) throw new WireError(`a message of ${length} bytes`);
  return length;
}

function parseMessage(message: Buffer): Message {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  try {
    if (opCode === OP_MSG) return parseMsg(message, requestId);
    if (opCode === OP_QUERY) return parseQuery(message, requestId);
  } catch (error) {
    if (error instanceof RangeError) throw new WireError('a message shorter than it says', { cause: error });
    throw error;
  }
  throw new WireError(`opcode ${opCode}`);
}

function parseMsg(message: Buffer, requestId: number): Message {
  const flags = message.readUInt32LE(16);
  if ((flags & UNKNOWN_REQUIRED) !== 0) throw new WireError(`flags ${flags}`);
  const sequences = new Map<string, Uint8Array[]>();
  let body: Uint8Array | undefined;
  for (let at = 20; at < message.length;) {
    const kind = message.readUInt8(at);
    const section = sized(message, at + 1, message.length);
    if (kind === 0 && body === undefined) body = section;
    else if (kind === 1) readSequence(section, sequences);
    else throw new WireError(`section ${kind}`);
    at += 1 + section.length;
  }
  if (body === undefined) throw new WireError('no body');
  return { requestId, opCode: OP_MSG, body, sequences, moreToCome: (flags & MORE_TO_COME) !== 0 };
}

function readSequence(section: Buffer, sequences: Map<string, Uint8Array[]>): void {
  const nameEnd = section.indexOf(0, 4);
  if (nameEnd === -1) throw new WireError('a sequence without a name');
  const name = section.toString('utf8', 4, nameEnd);
  if (sequences.has(name)) throw new WireError('a sequence twice');
  const documents: Uint8Array[] = [];
  for (let at = nameEnd + 1; at < section.length;) {
    const document = sized(section, at, section.length);
    documents.push(document);
    at += document.length;
  }
  sequences.set(name, documents);
}

/** The part that begins with its own length. */
function sized(bytes: Buffer, at: number, end: number): Buffer {
  const length = bytes.readInt32LE(at);
  if (length < 5 || at + length > end) throw new WireError('a part longer than its message');
  return bytes.subarray(at, at + length);
}

/** The handshake of drivers that do not know yet whether the server speaks OP_MSG. */
function parseQuery(message: Buffer, requestId: number): Message {
  const nameEnd = message.indexOf(0, 20);
  if (nameEnd === -1) throw new WireError('a query without a collection');
  const body = sized(message, nameEnd + 9, message.length);
  return { requestId, opCode: OP_QUERY, body, sequences: new Map(), moreToCome: false };
}

let lastRequestId = 0;

/** The message that answers `request` with one document. */
export function encodeReply(request: Message, body: Uint8Array): Buffer {
  const isQuery = request.opCode === OP_QUERY;
  const start = HEADER_BYTES + (isQuery ? 20 : 5); // OP_REPLY: flags, cursor, offset, count. OP_MSG: flags, section kind 0.
  const reply = Buffer.alloc(start + body.length);
  lastRequestId = (lastRequestId + 1) & 0x7fffffff;
  reply.writeInt32LE(reply.length, 0);
  reply.writeInt32LE(lastRequestId, 4);
  reply.writeInt32LE(request.requestId, 8);
  reply.writeInt32LE(isQuery ? OP_REPLY : OP_MSG, 12);
  if (isQuery) reply.writeInt32LE(1, 32);
  reply.set(body, start);
  return reply;
}
