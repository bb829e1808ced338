/** Token buckets, one for each key, in bounded memory. Knows nothing of HTTP. */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';

export interface BucketOptions {
  /** Tokens that a bucket refills per second; more than 0. */
  rate: number;
  /** Tokens that a full bucket holds; a whole number from 1. */
  burst: number;
  clock: Clock;
  /** Buckets that each of two tables holds at most; see `Buckets`. */
  maxBuckets?: number;
}

/** A bucket as it was when its last token was taken. Its refill since then follows from the clock. */
interface Bucket {
  readonly tokens: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Emptying this many buckets takes longer than refilling one at the default rate, however fast we serve. */
const MAX_BUCKETS = 20_000;
// The rounding error of adding up fractions of a token.
const ROUNDING = 1e-9;

/**
 * Full buckets are not stored, so that only recent callers take memory. Empty buckets are kept apart from those with
 * tokens left: a flood of new keys can push out only the latter. To make us forget an empty bucket, somebody must empty
 * as many buckets as the table holds.
 */
export class Buckets {
  readonly burst: number;
  readonly rate: number;
  readonly #clock: Clock;
  readonly #open: LRUCache<string, Bucket>;
  readonly #spent: LRUCache<string, Bucket>;

  constructor({ rate, burst, clock, maxBuckets = MAX_BUCKETS }: BucketOptions) {
    this.burst = burst;
    this.rate = rate;
    this.#clock = clock;
    this.#open = table(maxBuckets);
    this.#spent = table(maxBuckets);
  }

  /** Buckets in memory. */
  get size(): number {
    return this.#open.size + this.#spent.size;
  }

  /** Tokens in the bucket now, with fractions. */
  tokens(key: string): number {
    const bucket = this.#spent.get(key) ?? this.#open.get(key);
    if (bucket === undefined) return this.burst;
    // Absolute: setting the clock back by an hour must not lock anybody out for an hour.
    const elapsedMs = Math.abs(this.#clock.now() - bucket.at);
    return Math.min(this.burst, bucket.tokens + (elapsedMs / 1000) * this.rate);
  }

  hasToken(key: string): boolean {
    return isWhole(this.tokens(key));
  }

  /** Takes a token. Returns false, and changes nothing, if there is none. */
  take(key: string): boolean {
    const before = this.tokens(key);
    if (!isWhole(before)) return false;
    this.#remember(key, { tokens: Math.max(0, before - 1), at: this.#clock.now() });
    return true;
  }

  /** Seconds until the bucket has so many tokens; 0 when it has. */
  secondsTo(tokens: number, key: string): number {
    return Math.max(0, tokens - this.tokens(key) - ROUNDING) / this.rate;
  }

  #remember(key: string, bucket: Bucket): void {
    const isSpent = !isWhole(bucket.tokens);
    (isSpent ? this.#spent : this.#open).set(key, bucket);
    (isSpent ? this.#open : this.#spent).delete(key);
  }
}

/** Bounded by size rather than by `max`, for which the whole table would be allocated at once. */
function table(maxBuckets: number): LRUCache<string, Bucket> {
  return new LRUCache({ maxSize: maxBuckets, sizeCalculation: () => 1 });
}

function isWhole(tokens: number): boolean {
  return tokens + ROUNDING >= 1;
}
