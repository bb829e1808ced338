/** Who calls: verifies bearer tokens of the tenant's policies. */
import type { Request, RequestHandler } from 'restify';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import { authenticateWith, refuseBodyTokenWith, type Outcome } from './authenticate.ts';
import { bearerToken } from './credentials.ts';
import { TenantKeys } from './keys.ts';
import { requireScope } from './scope.ts';
import { TenantBearerStrategy } from './strategy.ts';
import { TenantClient } from './tenantClient.ts';
import { TokenVerifier } from './verify.ts';

export interface AuthenticationOptions {
  config: Config;
  clock: Clock;
  log: Logger;
  onOutcome?: (outcome: Outcome) => void;
  onKeyFetch?: (result: 'ok' | 'failed', seconds: number) => void;
  /** Milliseconds that the tenant has to answer, and that a request waits for its keys at most; default 5000. */
  tenantTimeoutMs?: number;
}

export interface Authentication {
  /** Verifies the bearer token and sets `req.user` and `req.authInfo`, or throws an ApiError. */
  authenticate: RequestHandler;
  /**
   * Whether the request's token was verified before and is remembered. It may have expired since: a throttle may let it
   * through to `authenticate`, and nothing else may follow from it. Costs a digest.
   */
  isRemembered(req: Request): boolean;
  /** For after the body is read: refuses a second token in it. */
  refuseBodyToken: RequestHandler;
  /** Refuses tokens without that scope; for after `authenticate`. Undefined needs none. */
  requireScope(scope: string | undefined): RequestHandler;
  keys: {
    /** Whether the keys of every policy are known. From memory. */
    isReady(): boolean;
    /** Fetches the keys in the background and keeps them fresh from then on. */
    start(): void;
    close(): Promise<void>;
  };
}

export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { config, clock, log, onOutcome = () => undefined } = options;
  if (!config.validateIssuer)
    log.warn('B2C_VALIDATE_ISSUER=false: tokens of any issuer that shares a key are accepted');
  const client = new TenantClient();
  const keepers = keepersOf(options, client);
  const verifier = new TokenVerifier({ config, clock, keepers });
  const strategy = new TenantBearerStrategy(config, (token) => verifier.verify(token));
  return {
    authenticate: authenticateWith({ strategy, onOutcome }),
    isRemembered: (req) => {
      const token = bearerToken(req);
      return token !== undefined && verifier.remembers(token);
    },
    refuseBodyToken: refuseBodyTokenWith(onOutcome),
    requireScope: (scope) =>
      requireScope(scope, (req, needed) => {
        onOutcome('insufficient_scope');
        req.log.warn({ reason: 'insufficient_scope', expected: needed }, 'token refused');
      }),
    keys: keepFresh([...keepers.values()], client),
  };
}

const DEFAULT_TIMEOUT_MS = 5_000;

/** Policies that share a metadata URL share its keeper. */
function keepersOf(options: AuthenticationOptions, client: TenantClient): ReadonlyMap<string, TenantKeys> {
  const { config, clock, log, onKeyFetch: onFetch = () => undefined } = options;
  const timeoutMs = options.tenantTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  const urls = new Set(config.policies.map(({ metadataUrl }) => metadataUrl));
  return new Map(
    [...urls].map((metadataUrl) => [
      metadataUrl,
      new TenantKeys({ metadataUrl, client, clock, log, timeoutMs, onFetch }),
    ]),
  );
}

const TICK_MS = 1_000;

function keepFresh(keepers: readonly TenantKeys[], client: TenantClient): Authentication['keys'] {
  let timer: NodeJS.Timeout | undefined;
  const tick = (): void => {
    for (const keeper of keepers) keeper.refreshWhenDue();
  };
  return {
    isReady: () => keepers.every((keeper) => keeper.current() !== undefined),
    start() {
      tick();
      timer ??= setInterval(tick, TICK_MS).unref();
    },
    async close() {
      clearInterval(timer);
      await Promise.all(keepers.map((keeper) => keeper.close()));
      await client.close();
    },
  };
}
