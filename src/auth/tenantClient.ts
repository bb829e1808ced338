import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { type KeySet, readKeys, readMetadata, UnusableAnswerError } from './keySet.ts';

/** The result of one exchange with the tenant. */
export interface TenantAnswer extends KeySet {
  /** The tenant's clock: the `Date` header of the metadata. */
  readonly date: string | undefined;
}

interface Limits {
  /** Milliseconds for the whole exchange: metadata and keys, to the last byte. */
  timeoutMs: number;
  signal: AbortSignal;
}

interface Answer {
  document: unknown;
  date: string | undefined;
}

const MAX_BYTES = 512 * 1024;
const MAX_REDIRECTS = 3;
const REDIRECTS = [301, 302, 303, 307, 308];

/** Fetches metadata and keys over HTTPS, directly or through `HTTPS_PROXY`. Trusts the CAs that Node trusts. */
export class TenantClient {
  // Made on first use: an invalid proxy variable is then a failed fetch, which is reported and retried.
  #direct: Dispatcher | undefined;
  #byProxy: Dispatcher | undefined;

  /**
   * Fetches the metadata, then the keys that it points to.
   *
   * @throws {Error} when the answer is late, too long, of another status, or unusable; the message says which.
   */
  async fetchKeySet(metadataUrl: string, { timeoutMs, signal }: Limits): Promise<TenantAnswer> {
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort(new Error(`no complete answer within ${timeoutMs} ms`));
    }, timeoutMs);
    try {
      const either = AbortSignal.any([late.signal, signal]);
      const { document, date } = await this.#fetchJson(metadataUrl, either);
      const { issuer, jwksUri } = readMetadata(document);
      const keys = readKeys((await this.#fetchJson(jwksUri, either)).document);
      return { issuer, keys, date };
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#direct?.destroy(), this.#byProxy?.destroy()]);
  }

  async #fetchJson(from: string, signal: AbortSignal): Promise<Answer> {
    let url = new URL(from);
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const response = await request(url, {
        dispatcher: this.#dispatcherFor(url),
        signal,
        headers: { accept: 'application/json', 'accept-encoding': 'identity' },
      });
      if (!REDIRECTS.includes(response.statusCode)) return await readAnswer(url, response);
      discard(response);
      url = redirectTarget(url, response.headers['location']);
    }
    throw new UnusableAnswerError(`${from} redirects too many times`);
  }

  #dispatcherFor({ hostname }: URL): Dispatcher {
    // NODE_TLS_REJECT_UNAUTHORIZED=0 must have no effect here: whoever answers decides who everybody is.
    const requestTls = { rejectUnauthorized: true };
    // As in most clients, loopback is never proxied; the development tenant is there.
    if (isLoopback(hostname)) return (this.#direct ??= new Agent({ connect: requestTls, allowH2: false }));
    return (this.#byProxy ??= new EnvHttpProxyAgent({ connect: requestTls, requestTls, allowH2: false }));
  }
}

async function readAnswer(url: URL, response: Dispatcher.ResponseData): Promise<Answer> {
  if (response.statusCode !== 200) {
    discard(response);
    throw new UnusableAnswerError(`${url.href} answered ${response.statusCode}`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new UnusableAnswerError(`${url.href} answered more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  const { date } = response.headers;
  return { document: parseJson(url, Buffer.concat(chunks)), date: typeof date === 'string' ? date : undefined };
}

function parseJson(url: URL, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser's own message quotes the answer.
    throw new UnusableAnswerError(`${url.href} did not answer with JSON`);
  }
}

/** Drops an unwanted body without reading it; its end must not become an unhandled error. */
function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => undefined);
  body.destroy();
}

function redirectTarget(from: URL, location: string | string[] | undefined): URL {
  const target = typeof location === 'string' ? URL.parse(location, from.href) : null;
  if (target?.protocol === 'https:' && target.host === from.host) return target;
  throw new UnusableAnswerError(`${from.href} redirects to another host`);
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(hostname);
}
