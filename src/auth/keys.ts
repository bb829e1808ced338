import type { Clock } from '../clock.ts';
import type { Policy } from '../config.ts';
import { TenantUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type KeySet, KnownKeys, type TenantKey } from './keySet.ts';
import type { TenantClient } from './tenantClient.ts';

export interface TenantKeysOptions {
  policy: Policy;
  client: TenantClient;
  clock: Clock;
  log: Logger;
  /** Milliseconds that one exchange may take, and that a request waits at most. */
  timeoutMs: number;
  onFetch: (result: 'ok' | 'failed', seconds: number) => void;
}

const REFRESH_MS = 60 * 60 * 1000;
/** Between two fetches triggered by tokens. */
const DEMAND_INTERVAL_MS = 10_000;
/**
 * Requests that may wait for keys at once. Each may hold a token of some 50 KB while the tenant is silent, and none is
 * charged to anybody before it is answered. Many more than come while a healthy tenant answers.
 */
const MAX_WAITING = 200;
const FIRST_BACKOFF_MS = 1_000;
const LAST_BACKOFF_MS = 5 * 60 * 1000;

/**
 * Decides when to fetch the keys of one policy: once for all requests, every hour in the background, and when a token has
 * an unknown key. While the tenant is down, slow, or answers rubbish, the known keys stay.
 */
export class TenantKeys {
  readonly #options: TenantKeysOptions;
  readonly #known: KnownKeys;
  readonly #closing = new AbortController();
  /** Exchanges are numbered as they start; the answer to an earlier one never replaces that to a later one. */
  #started = 0;
  #answered = 0;
  #hasLastFetchSucceeded = false;
  #failures = 0;
  #attemptedAt = 0;
  #dueAt = 0;
  #demandedAt = -Infinity;
  #waiting = 0;
  #background: Promise<void> | undefined;
  #demand: Promise<void> | undefined;

  constructor(options: TenantKeysOptions) {
    this.#options = options;
    this.#known = new KnownKeys(options.clock);
  }

  /** What is known now; undefined before the first answer, or if the last good one is too old. */
  current(): KeySet | undefined {
    return this.#known.current();
  }

  /**
   * The issuer, and the key with that id. A new id causes one refetch, shared by all requests that wait for it and at
   * most once every 10 seconds, so that forged ids cannot flood the tenant. The key is undefined if the tenant does not
   * publish it.
   *
   * @throws {TenantUnavailableError} when the key is unknown and the tenant cannot be asked, or too many are waiting.
   */
  async find(kid: string): Promise<{ keySet: KeySet; key: TenantKey | undefined }> {
    const isLate = !this.#known.has(kid) && (await this.#isLate(kid));
    this.refreshWhenDue();
    const keySet = this.current();
    const key = keySet?.keys.get(kid);
    // Without an answer to this very fetch, nobody knows whether the tenant publishes the key.
    const isAnswered = key !== undefined || (this.#hasLastFetchSucceeded && !isLate);
    if (keySet === undefined || !isAnswered) throw new TenantUnavailableError(this.#retryAfterSeconds());
    return { keySet, key };
  }

  /** Whether this very key is still published. */
  holds(key: TenantKey): boolean {
    this.refreshWhenDue();
    return this.#known.holds(key);
  }

  /** Starts a background fetch if one is due. Cheap: called on every use and by a slow timer. */
  refreshWhenDue(): void {
    const now = this.#options.clock.now();
    this.#known.noteTime(now);
    // Setting the clock back must not delay the refresh.
    if (this.#demand !== undefined || (now < this.#dueAt && now >= this.#attemptedAt)) return;
    this.#background ??= this.#exchange().finally(() => {
      this.#background = undefined;
    });
  }

  /** Ends the running fetches; none succeeds afterwards. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('closing'));
    await Promise.all([this.#background, this.#demand]);
  }

  /** Waits for a key, but not for long, and not with too many others: waiting must not use up memory. */
  async #isLate(kid: string): Promise<boolean> {
    if (this.#waiting >= MAX_WAITING) throw new TenantUnavailableError(this.#retryAfterSeconds());
    this.#waiting += 1;
    try {
      return await isLaterThan(this.#options.timeoutMs, this.#learn(kid));
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Tries to learn a key. Never rejects. */
  async #learn(kid: string): Promise<void> {
    // The initial fetch serves all who came too early. Later fetches may have left before the key was published.
    const isStarting = this.#started === 1 && this.#background !== undefined;
    if (isStarting) await this.#background;
    if (this.#known.has(kid)) return;
    this.#demandWhenAllowed();
    // If no refetch is allowed, one that is already running may still bring the key.
    await (this.#demand ?? this.#background);
  }

  #demandWhenAllowed(): void {
    const now = this.#options.clock.now();
    const sinceMs = now - this.#demandedAt;
    if (this.#demand !== undefined || (sinceMs >= 0 && sinceMs < DEMAND_INTERVAL_MS)) return;
    this.#demandedAt = now;
    this.#demand = this.#exchange().finally(() => {
      this.#demand = undefined;
    });
  }

  /** Asks the tenant. Never rejects. */
  async #exchange(): Promise<void> {
    const { client, clock, timeoutMs, policy, onFetch } = this.#options;
    const turn = (this.#started += 1);
    const startedAt = performance.now();
    this.#attemptedAt = clock.now();
    let result: 'ok' | 'failed' = 'failed';
    try {
      const keySet = await client.fetchKeySet(policy.metadataUrl, { timeoutMs, signal: this.#closing.signal });
      if (turn > this.#answered) this.#takeOver(keySet, turn);
      result = 'ok';
    } catch (error) {
      if (turn > this.#answered) this.#putOff(error);
    }
    onFetch(result, (performance.now() - startedAt) / 1000);
  }

  #takeOver(keySet: KeySet, turn: number): void {
    const { clock, log, policy } = this.#options;
    if (!this.#hasLastFetchSucceeded) {
      log.info({ policy: policy.label, metadataUrl: policy.metadataUrl, keys: keySet.keys.size }, 'tenant keys known');
    }
    this.#known.replace(keySet);
    this.#answered = turn;
    this.#hasLastFetchSucceeded = true;
    this.#failures = 0;
    // Instances that started together should not all ask together.
    this.#dueAt = clock.now() + REFRESH_MS * (1 - 0.1 * Math.random());
  }

  #putOff(err: unknown): void {
    const { clock, log, policy } = this.#options;
    this.#hasLastFetchSucceeded = false;
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, LAST_BACKOFF_MS) * (1 - 0.5 * Math.random());
    this.#failures += 1;
    this.#dueAt = clock.now() + backoffMs;
    if (this.#closing.signal.aborted) return;
    const facts = { policy: policy.label, metadataUrl: policy.metadataUrl, err, failures: this.#failures };
    log.warn({ ...facts, cure: 'run `npm run doctor` here to see what to change' }, 'tenant keys not fetched');
  }

  #retryAfterSeconds(): number {
    const leftMs = this.#demandedAt + DEMAND_INTERVAL_MS - this.#options.clock.now();
    return Math.min(Math.max(Math.ceil(leftMs / 1000), 1), DEMAND_INTERVAL_MS / 1000);
  }
}

/** Waits for a promise that never rejects, but no longer than that. */
async function isLaterThan(ms: number, promise: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, true);
  });
  try {
    return await Promise.race([promise.then(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}
