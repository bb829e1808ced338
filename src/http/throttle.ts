/**
 * Limits the requests of each client, counted in the memory of this process. Authenticated requests are counted by user,
 * all others by address, so that guessing tokens costs no user anything.
 */
import type { Request, Response } from 'restify';
import type { Clock } from '../clock.ts';
import { type HeaderMap, TooManyRequestsError } from '../errors.ts';
import { Buckets } from './buckets.ts';
import { clientAddress } from './clientAddress.ts';
import { logOf, type Step } from './request.ts';
import { setHeaders } from './respond.ts';

export interface ThrottleOptions {
  /** Requests that a bucket refills per second; 0 switches throttling off. */
  rate: number;
  /** Requests that a full bucket holds. */
  burst: number;
  /** Our proxies in front of this server. */
  trustProxy: number;
  clock: Clock;
  /** Whether the token of a request was verified before: then an empty address bucket does not refuse it. */
  isRemembered?: (req: Request) => boolean;
  /** From 0 to 1; for tests. */
  random?: () => number;
  /** Called for each refused request. */
  onThrottled?: (bucket: 'user' | 'address') => void;
  /** Buckets that each table holds at most; for tests. */
  maxBuckets?: number;
}

export interface Throttle {
  /** Charges the address for what is open to all but costs something to send. */
  chargeOpen: Step;
  /** Refuses an address without tokens left, before anything is verified; authenticates; if that fails, charges the address. */
  around(authenticate: Step): Step;
  /** Charges the user that `authenticate` found. */
  chargeUser: Step;
}

export function createThrottle(options: ThrottleOptions): Throttle {
  return options.rate > 0 ? new BucketThrottle(options) : NO_THROTTLE;
}

const passOn: Step = () => undefined;
const NO_THROTTLE: Throttle = {
  chargeOpen: passOn,
  around: (authenticate) => authenticate,
  chargeUser: passOn,
};

/** How much larger the buckets are for what is open to all: a page of documentation is several requests. */
const OPEN_FACTOR = 10;
const MAX_SPREAD_SECONDS = 30;

class BucketThrottle implements Throttle {
  readonly #users: Buckets;
  readonly #addresses: Buckets;
  readonly #open: Buckets;
  #isWarned = false;
  readonly #options: ThrottleOptions;

  constructor(options: ThrottleOptions) {
    this.#options = options;
    this.#users = new Buckets(options);
    this.#addresses = new Buckets(options);
    this.#open = new Buckets({ ...options, rate: options.rate * OPEN_FACTOR, burst: options.burst * OPEN_FACTOR });
  }

  readonly chargeOpen: Step = (req, res) => {
    this.#charge('address', this.#open, this.#addressOf(req), res);
  };

  around(authenticate: Step): Step {
    return (req, res) => {
      const address = this.#addressOf(req);
      // Emptying an address's bucket must not lock out authenticated users behind it.
      if (!this.#addresses.hasToken(address) && this.#options.isRemembered?.(req) !== true) {
        this.#refuse('address', this.#addresses, address);
      }
      const charge = (refusal: unknown): never => {
        // Others may have emptied the bucket while this request was being verified: then this one is too many as well.
        this.#charge('address', this.#addresses, address, res);
        throw refusal;
      };
      try {
        return authenticate(req, res)?.catch(charge);
      } catch (refusal) {
        return charge(refusal);
      }
    };
  }

  readonly chargeUser: Step = (req, res) => {
    if (req.user !== undefined) this.#charge('user', this.#users, req.user.oid, res);
  };

  #addressOf(req: Request): string {
    if (this.#options.trustProxy === 0 && req.headers['x-forwarded-for'] !== undefined) this.#warnOnce(req);
    return clientAddress(req, this.#options.trustProxy);
  }

  #warnOnce(req: Request): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    logOf(req).warn('X-Forwarded-For comes while TRUST_PROXY is off: behind a proxy all clients count as one address');
  }

  #charge(kind: 'user' | 'address', buckets: Buckets, key: string, res: Response): void {
    if (!buckets.take(key)) this.#refuse(kind, buckets, key);
    setHeaders(res, rateLimitHeaders(buckets, key));
  }

  #refuse(kind: 'user' | 'address', buckets: Buckets, key: string): never {
    this.#options.onThrottled?.(kind);
    const { random = Math.random } = this.#options;
    // Spread over the time of two bursts, so that clients refused together do not return together.
    const spreadSeconds = Math.min(MAX_SPREAD_SECONDS, (2 * buckets.burst) / buckets.rate);
    const retryAfterSeconds = Math.max(1, Math.ceil(buckets.secondsTo(1, key) + random() * spreadSeconds));
    throw new TooManyRequestsError(retryAfterSeconds, rateLimitHeaders(buckets, key));
  }
}

/** The headers of draft-ietf-httpapi-ratelimit-headers-06. Reset: seconds until the bucket is full again. */
function rateLimitHeaders(buckets: Buckets, key: string): HeaderMap {
  return {
    'RateLimit-Limit': String(buckets.burst),
    'RateLimit-Remaining': String(Math.floor(buckets.tokens(key) + 1e-9)),
    'RateLimit-Reset': String(Math.ceil(buckets.secondsTo(buckets.burst, key))),
  };
}

/**
 * A step for after authentication: limits the requests of one user in progress, so that nobody fills the memory or the
 * store's connections.
 *
 * @throws {TooManyRequestsError} while the user has that many in progress.
 */
export function boundInFlight(max: number): Step {
  const underWay = new Map<string, number>();
  return ({ user }, res) => {
    // The client may have left during authentication; then no event marks the end of the request.
    if (user === undefined || res.closed) return;
    const { oid } = user;
    const count = underWay.get(oid) ?? 0;
    if (count >= max) throw new TooManyRequestsError(1, {});
    underWay.set(oid, count + 1);
    res.once('close', () => {
      const left = (underWay.get(oid) ?? 1) - 1;
      if (left === 0) underWay.delete(oid);
      else underWay.set(oid, left);
    });
  };
}
