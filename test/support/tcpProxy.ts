import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { after, type TestContext } from 'node:test';

/**
 * A TCP proxy on loopback that fails as networks and databases do. It passes everything on until it is told
 * otherwise; each method applies to open connections and to later ones.
 */
export interface TcpProxy {
  readonly port: number;
  /** Bytes that went to the target so far. */
  readonly bytesForth: number;
  /** Ends all connections with a reset; new ones are served. */
  cut(): void;
  /** A hang: connections stay open and new ones are accepted, but nothing is passed on, either way. */
  stall(): void;
  /** A half-open hang: what the client sends reaches the target, but no answer comes back. */
  stallAnswers(): void;
  /** Answers come back a few bytes every ten milliseconds. */
  drip(bytesPerTick: number): void;
  /** Nobody listens: connections are cut, and new ones refused. */
  refuse(): Promise<void>;
  /** Passes everything on again, also what was held back. */
  resume(): Promise<void>;
}

const TICK_MS = 10;

const proxies: Proxy[] = [];

after(async () => {
  for (const proxy of proxies) await proxy.refuse();
});

/**
 * A proxy to a TCP port on loopback or a Unix socket (`{ path }`). When the test ends it passes everything on again and
 * stays, since a driver that is closing waits long for a store that is not there; it closes with the last test.
 */
export async function startProxy(t: Pick<TestContext, 'after'>, target: NetConnectOpts): Promise<TcpProxy> {
  const proxy = new Proxy(target);
  proxies.push(proxy);
  await proxy.listen();
  t.after(() => proxy.resume());
  return proxy;
}

const SERVER = /^(mongodb:\/\/(?:[^@/]*@)?)([^/?,]+)[^/?]*(\/[^?]*)?(\?.*)?$/;

/** Puts a proxy before the (first) server of a `mongodb://` URI. Resolves to the proxy, with the URI that goes through it. */
export async function proxyStore(t: Pick<TestContext, 'after'>, uri: string): Promise<TcpProxy & { uri: string }> {
  const [, start = '', server = '', path = '/', query = '?'] = SERVER.exec(uri) ?? [];
  const host = decodeURIComponent(server);
  const [name = '', port = '27017'] = host.split(':');
  const proxy = await startProxy(t, host.startsWith('/') ? { path: host } : { host: name, port: Number(port) });
  // Otherwise the driver asks a replica set for its members, and goes past the proxy.
  const parameters = new URLSearchParams(query);
  parameters.set('directConnection', 'true');
  return Object.assign(proxy, { uri: `${start}127.0.0.1:${proxy.port}${path}?${parameters.toString()}` });
}

type Mode = { passesUp: boolean; passesDown: boolean; bytesPerTick: number };

const OPEN: Mode = { passesUp: true, passesDown: true, bytesPerTick: Infinity };

class Proxy implements TcpProxy {
  port = 0;
  bytesForth = 0;
  readonly #target: NetConnectOpts;
  readonly #pairs = new Set<Pair>();
  #mode = OPEN;
  #server: Server | undefined;

  constructor(target: NetConnectOpts) {
    this.#target = target;
  }

  /** On the same port as before, if there was one. */
  async listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((client) => {
      this.#accept(client);
    });
    this.#server = server;
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
  }

  cut(): void {
    for (const pair of this.#pairs) pair.destroy();
  }

  stall(): void {
    this.#switch({ ...OPEN, passesUp: false, passesDown: false });
  }

  stallAnswers(): void {
    this.#switch({ ...OPEN, passesDown: false });
  }

  drip(bytesPerTick: number): void {
    this.#switch({ ...OPEN, bytesPerTick });
  }

  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cut();
    if (server === undefined) return;
    server.close();
    await once(server, 'close');
  }

  async resume(): Promise<void> {
    this.#switch(OPEN);
    await this.listen();
  }

  #switch(mode: Mode): void {
    this.#mode = mode;
    for (const pair of this.#pairs) pair.pump();
  }

  #accept(client: Socket): void {
    const upstream = connect(this.#target);
    const pair = new Pair(
      client,
      upstream,
      () => this.#mode,
      (bytes) => (this.bytesForth += bytes),
    );
    this.#pairs.add(pair);
    client.once('close', () => this.#pairs.delete(pair));
  }
}

/** One connection through the proxy: two queues of bytes, emptied as the mode allows. */
class Pair {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #mode: () => Mode;
  readonly #onForth: (bytes: number) => void;
  readonly #up: Buffer[] = [];
  #down = Buffer.alloc(0);
  #ticker: NodeJS.Timeout | undefined;

  constructor(client: Socket, upstream: Socket, mode: () => Mode, onForth: (bytes: number) => void) {
    this.#client = client;
    this.#upstream = upstream;
    this.#mode = mode;
    this.#onForth = onForth;
    client.on('data', (chunk: Buffer) => {
      this.#up.push(chunk);
      this.pump();
    });
    upstream.on('data', (chunk: Buffer) => {
      this.#down = Buffer.concat([this.#down, chunk]);
      this.pump();
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined); // followed by close
      socket.once('close', () => {
        this.destroy();
      });
    }
  }

  pump(): void {
    const { passesUp, passesDown, bytesPerTick } = this.#mode();
    for (const chunk of passesUp ? this.#up.splice(0) : []) {
      this.#upstream.write(chunk);
      this.#onForth(chunk.length);
    }
    if (!passesDown || this.#down.length === 0) return;
    if (bytesPerTick === Infinity) {
      this.#client.write(this.#down);
      this.#down = Buffer.alloc(0);
    } else this.#drip(bytesPerTick);
  }

  #drip(bytes: number): void {
    this.#ticker ??= setTimeout(() => {
      this.#ticker = undefined;
      this.#client.write(this.#down.subarray(0, bytes));
      this.#down = this.#down.subarray(bytes);
      this.pump();
    }, TICK_MS);
  }

  destroy(): void {
    clearTimeout(this.#ticker);
    if (!this.#client.destroyed) this.#client.resetAndDestroy();
    this.#upstream.destroy();
  }
}
