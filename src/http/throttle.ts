/**
 * A fair share of requests for everybody, counted in the memory of this process. Whoever has proved who they are is
 * counted as that user; everybody else by address, so that guessing tokens costs no user anything.
 */
import type { Request, RequestHandler, Response } from 'restify';
import type { Clock } from '../clock.ts';
import { TooManyRequestsError, type HeaderMap } from '../errors.ts';
import { Buckets } from './buckets.ts';
import { clientAddress } from './clientAddress.ts';
import './request.ts';

export interface ThrottleOptions {
  /** Requests that a bucket regains each second; 0 switches throttling off. */
  rate: number;
  /** Requests that a full bucket holds. */
  burst: number;
  /** Proxies of ours in front of this server. */
  trustProxy: number;
  clock: Clock;
  /** Called for each refused request. */
  onThrottled?: (bucket: 'user' | 'address') => void;
  /** Buckets remembered at most in each table; for tests. */
  maxBuckets?: number;
}

/** Mount them in this order, in front of everything else that a protected route does. */
export interface Throttle {
  /** Refuses an address that has no token left, before anything is verified. Takes none. */
  refuseSpentAddress: RequestHandler;
  /** The handler that authenticates; when it refuses, the client's address is charged. */
  around(authenticate: RequestHandler): RequestHandler;
  /** Charges the user that `authenticate` found. */
  chargeUser: RequestHandler;
}

type AsyncHandler = (req: Request, res: Response) => Promise<void>;

export function createThrottle(options: ThrottleOptions): Throttle {
  return options.rate > 0 ? new BucketThrottle(options) : NO_THROTTLE;
}

const passOn: AsyncHandler = async () => {
  // Restify goes on with the next handler.
};
const NO_THROTTLE: Throttle = {
  refuseSpentAddress: passOn,
  around: (authenticate) => authenticate,
  chargeUser: passOn,
};

class BucketThrottle implements Throttle {
  readonly #users: Buckets;
  readonly #addresses: Buckets;
  readonly #options: ThrottleOptions;

  constructor(options: ThrottleOptions) {
    this.#options = options;
    this.#users = new Buckets(options);
    this.#addresses = new Buckets(options);
  }

  readonly refuseSpentAddress: AsyncHandler = async (req) => {
    const address = this.#addressOf(req);
    if (!this.#addresses.hasToken(address)) this.#refuse('address', this.#addresses, address);
  };

  around(authenticate: RequestHandler): AsyncHandler {
    return async (req, res) => {
      try {
        await (authenticate as AsyncHandler)(req, res);
      } catch (refusal) {
        // Others may have spent the bucket while this request was being verified: then it is one too many as well.
        this.#charge('address', this.#addresses, this.#addressOf(req), res);
        throw refusal;
      }
    };
  }

  readonly chargeUser: AsyncHandler = async (req, res) => {
    if (req.user !== undefined) this.#charge('user', this.#users, req.user.oid, res);
  };

  #addressOf(req: Request): string {
    return clientAddress(req, this.#options.trustProxy);
  }

  #charge(kind: 'user' | 'address', buckets: Buckets, key: string, res: Response): void {
    if (!buckets.take(key)) this.#refuse(kind, buckets, key);
    for (const [name, value] of Object.entries(rateLimitHeaders(buckets, key))) res.setHeader(name, value);
  }

  #refuse(kind: 'user' | 'address', buckets: Buckets, key: string): never {
    this.#options.onThrottled?.(kind);
    const retryAfterSeconds = Math.max(1, Math.ceil(buckets.secondsToToken(key)));
    throw new TooManyRequestsError(retryAfterSeconds, rateLimitHeaders(buckets, key));
  }
}

/** The headers of draft-ietf-httpapi-ratelimit-headers-06. Reset: seconds until the bucket is full again. */
function rateLimitHeaders(buckets: Buckets, key: string): HeaderMap {
  return {
    'RateLimit-Limit': String(buckets.burst),
    'RateLimit-Remaining': String(Math.floor(buckets.tokens(key) + 1e-9)),
    'RateLimit-Reset': String(Math.ceil(buckets.secondsToFull(key))),
  };
}
