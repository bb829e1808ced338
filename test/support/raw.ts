import { connect } from 'node:net';

export interface RawOptions {
  /** Milliseconds to wait for the other side to close; then the socket is destroyed. */
  waitMs?: number;
  /** Says at once that nothing more will come, so that the server has no reason to wait. */
  isEnded?: boolean;
}

/** What came back on one connection. */
export interface RawAnswer {
  text: string;
  /** The server closed the connection. */
  isClosed: boolean;
  /** Statuses of the answers, in order. */
  statuses: number[];
}

/** How long a slow machine may take before the first byte of an answer. */
const FIRST_MS = 10_000;

/** Sends bytes as they are, and returns all that comes until the server closes or nothing more comes for `waitMs`. */
export function sendRaw(
  port: number,
  bytes: string | Uint8Array,
  { waitMs = 1_000, isEnded = false }: RawOptions = {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    const finish = (isClosed: boolean): void => {
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      // A body does not end with a line break: the next answer begins right behind it.
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
      resolve({ text, isClosed, statuses });
    };
    socket.setTimeout(Math.max(FIRST_MS, waitMs), () => {
      finish(false);
    });
    socket.on('data', (chunk) => {
      socket.setTimeout(waitMs);
      chunks.push(chunk);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      finish(true);
    });
    if (isEnded) socket.end(bytes);
    else socket.write(bytes);
  });
}
