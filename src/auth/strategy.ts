import { BearerStrategy, type IBearerStrategyOption, type VerifyCallback } from 'passport-azure-ad';
import type { Config } from '../config.ts';
import type { Verified } from './verify.ts';

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
  readonly verifyToken: (token: string, req: object) => Promise<Verified>;

  constructor(config: Config, verify: (token: string, req: object) => Promise<Verified>) {
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

  override jwtVerify(req: object, token: string, _metadata: object, _options: object, done: VerifyCallback): void {
    this.verifyToken(token, req).then(({ caller, claims }) => {
      done(null, caller, claims);
    }, done);
  }
}

// Read by nothing, now that `loadMetadata` is ours. The real one must not come here: the library refuses every token of
// a policy whose metadata has `/common/` in its path.
const NO_METADATA = 'https://metadata.invalid/';

/** The library writes into what it is given, so this is a new object each time. */
function libraryOptions({ tenants, clockSkewSeconds }: Config): IBearerStrategyOption {
  const [tenant] = tenants;
  const policyName = tenant?.policies[0]?.name ?? '';
  return {
    identityMetadata: NO_METADATA,
    isB2C: policyName !== '',
    policyName,
    clientID: tenant?.audiences[0] ?? '',
    audience: [...(tenant?.audiences ?? [])],
    issuer: [...(tenant?.issuers ?? [])],
    clockSkew: clockSkewSeconds,
    loggingLevel: 'error',
    loggingNoPII: true,
  };
}
