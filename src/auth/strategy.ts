import { BearerStrategy, type IBearerStrategyOption, type VerifyCallback } from 'passport-azure-ad';
import type { Config } from '../config.ts';
import type { Claims } from './token.ts';

/** The caller of a request. */
export interface Caller {
  /** The user's object id in the tenant: the owner of tasks. */
  readonly oid: string;
  readonly name: string | undefined;
}

/** What the library's `authenticate` hands on from the one method to the other. */
interface Metadata {
  oidc: { algorithms: string[] };
}

// The two methods are the library's own, but its types leave them out.
declare module 'passport-azure-ad' {
  interface BearerStrategy {
    loadMetadata(params: object, next: (error: null, metadata: Metadata) => void): void;
    jwtVerify(req: object, token: string, metadata: object, options: object, done: VerifyCallback): void;
  }
}

/**
 * passport-azure-ad's own strategy, fed by our keeper of the keys. Its loader of metadata hangs or ends the process
 * when the tenant answers rubbish, and its verification takes the algorithms from that answer and looks at neither
 * policy nor `oid`; these two are replaced. Everything else of `authenticate` runs as it is.
 */
export class TenantBearerStrategy extends BearerStrategy {
  // Not a #private member: Passport works on an object that only inherits from the strategy.
  readonly verifyToken: (token: string) => Promise<Claims>;

  constructor(config: Config, verify: (token: string) => Promise<Claims>) {
    // Never called: `jwtVerify` decides. If it ever is, nobody is let in.
    super(libraryOptions(config), (_claims, done) => {
      done(null, false);
    });
    this.verifyToken = verify;
  }

  /** Nothing to load: the keeper of the keys knows. */
  override loadMetadata(_params: object, next: (error: null, metadata: Metadata) => void): void {
    next(null, { oidc: { algorithms: ['RS256'] } });
  }

  override jwtVerify(_req: object, token: string, _metadata: object, _options: object, done: VerifyCallback): void {
    this.verifyToken(token).then((claims) => {
      done(null, callerOf(claims), claims);
    }, done);
  }
}

/** @param claims verified ones; `name` is not among what is verified, and may be anything */
function callerOf({ oid, name }: Claims): Caller {
  return Object.freeze({ oid: String(oid), name: typeof name === 'string' ? name.toWellFormed() : undefined });
}

// Read by nothing, now that `loadMetadata` is ours. The real one must not come here: the library refuses every token of
// a policy whose metadata has `/common/` in its path.
const NO_METADATA = 'https://metadata.invalid/';

/** The library writes into what it is given, so this is a new object each time. */
function libraryOptions(config: Config): IBearerStrategyOption {
  const { policies, clientId, audiences, issuers, clockSkewSeconds } = config;
  const [policy] = policies;
  return {
    identityMetadata: NO_METADATA,
    isB2C: policy?.name !== '',
    policyName: policy?.name,
    clientID: clientId,
    audience: [...audiences],
    issuer: [...issuers],
    clockSkew: clockSkewSeconds,
    loggingLevel: 'error',
    loggingNoPII: true,
  };
}
