/**
 * Load over plain sockets: requests that are made beforehand, each sent when the last one is answered. It costs a
 * fraction of what an HTTP client does, and with two cores the generator must leave them to the server.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Load {
  port: number;
  connections: number;
  seconds: number;
  /** The next request as it goes over the wire; undefined when there are no more. */
  next: () => Buffer | undefined;
}

export interface Served {
  answers: number;
  seconds: number;
  /** Answers by status. */
  statuses: Map<number, number>;
}

/** Sends until the time is over or the requests are. */
export async function load({ port, connections, seconds, next }: Load): Promise<Served> {
  const statuses = new Map<number, number>();
  const start = performance.now();
  const end = start + seconds * 1000;
  const more = (): Buffer | undefined => (performance.now() < end ? next() : undefined);
  await Promise.all(Array.from({ length: connections }, () => keepSending(port, more, statuses)));
  const answers = [...statuses.values()].reduce((sum, count) => sum + count, 0);
  return { answers, seconds: (performance.now() - start) / 1000, statuses };
}

/** A request as it goes over the wire. */
export function requestBytes(method: string, path: string, headers: Record<string, string>, body = ''): Buffer {
  const length: Record<string, string> = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const fields = Object.entries({ Host: 'localhost', ...headers, ...length }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return Buffer.from([`${method} ${path} HTTP/1.1`, ...fields, '', body].join('\r\n'));
}

async function keepSending(port: number, next: () => Buffer | undefined, statuses: Map<number, number>): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  try {
    await once(socket, 'connect');
    for (let request = next(); request !== undefined; request = next()) {
      const answered = readAnswer(socket);
      socket.write(request);
      const status = await answered;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  } finally {
    socket.destroy();
  }
}

/** Reads one answer to its last byte; resolves to its status. */
function readAnswer(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const settle = (): void => {
      socket.off('data', onData).off('close', onClose).off('error', reject);
    };
    const onData = (chunk: Buffer): void => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const status = completeStatus(received);
      if (status === undefined) return;
      settle();
      resolve(status);
    };
    const onClose = (): void => {
      settle();
      reject(new Error('the server closed the connection in the middle of an answer'));
    };
    socket.on('data', onData).on('close', onClose).on('error', reject);
  });
}

/** The status of an answer that is all there; undefined while some of it is missing. */
function completeStatus(received: Buffer): number | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = received.toString('latin1', 0, headEnd);
  const status = Number(head.slice(9, 12));
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined && status !== 204 && status !== 304) throw new Error('an answer of unknown length');
  return received.length >= headEnd + 4 + Number(length ?? 0) ? status : undefined;
}
