import { BearerStrategy, type IBearerStrategyOption, type VerifyCallback } from 'passport-azure-ad';
import type { Config } from '../config.ts';
import type { Verified } from './verify.ts';

/** What the library's `authenticate` passes from one method to the other. */
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
 * passport-azure-ad's own strategy, with two methods replaced: its metadata loader hangs or ends the process when the
 * tenant answers rubbish, and its verification takes the algorithms from that answer and checks neither policy nor `oid`.
 * The rest of `authenticate` is unchanged.
 */
export class TenantBearerStrategy extends BearerStrategy {
  // Not a #private member: Passport calls it on an object that only inherits from the strategy.
  readonly verifyToken: (token: string, req: object) => Promise<Verified>;

  constructor(config: Config, verify: (token: string, req: object) => Promise<Verified>) {
    // Never called: `jwtVerify` decides. If it ever were, it would let nobody in.
    super(libraryOptions(config), (_claims, done) => {
      done(null, false);
    });
    this.verifyToken = verify;
  }

  /** Nothing to load: `TenantKeys` has it. */
  override loadMetadata(_params: object, next: (error: null, metadata: Metadata) => void): void {
    next(null, { oidc: { algorithms: ['RS256'] } });
  }

  override jwtVerify(req: object, token: string, _metadata: object, _options: object, done: VerifyCallback): void {
    this.verifyToken(token, req).then(({ caller, claims }) => {
      done(null, caller, claims);
    }, done);
  }
}

// Unused, since `loadMetadata` is ours. Not the real URL: the library refuses every token of a policy whose metadata has
// `/common/` in its path.
const NO_METADATA = 'https://metadata.invalid/';

/** A new object each time, because the library changes it. */
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
