/** Who calls: verifies bearer tokens of the tenants' policies. */
import type { Request } from 'restify';
import type { Clock } from '../clock.ts';
import type { Config, Policy } from '../config.ts';
import type { Logger } from '../log.ts';
import { gateSteps, type OnOutcome } from './authenticate.ts';
import { bearerToken } from './credentials.ts';
import { TenantKeys } from './keys.ts';
import { TenantClient } from './tenantClient.ts';
import { TokenVerifier } from './verify.ts';

export interface AuthenticationOptions {
  config: Config;
  clock: Clock;
  log: Logger;
  onOutcome?: OnOutcome;
  onKeyFetch?: (result: 'ok' | 'failed', seconds: number) => void;
  /** Milliseconds within which the tenant must answer, and that a request waits at most for its keys; default 5000. */
  tenantTimeoutMs?: number;
}

export type Authentication = ReturnType<typeof createAuthentication>;

const DEFAULT_TIMEOUT_MS = 5_000;

export function createAuthentication(options: AuthenticationOptions) {
  const { config, clock, log, onOutcome = () => undefined, onKeyFetch: onFetch = () => undefined } = options;
  if (!config.tenants.every(({ validateIssuer }) => validateIssuer)) {
    log.warn('B2C_VALIDATE_ISSUER=false: tokens of any issuer that uses the same keys are accepted');
  }
  const client = new TenantClient();
  const shared = { client, clock, log, timeoutMs: options.tenantTimeoutMs ?? DEFAULT_TIMEOUT_MS, onFetch };
  const policies = config.tenants.flatMap((tenant) => tenant.policies);
  const keepers = new Map(policies.map((policy) => [policy, new TenantKeys({ ...shared, policy })]));
  const verifier = new TokenVerifier(config, clock, (policy) => {
    const keeper = keepers.get(policy);
    if (keeper === undefined) throw new Error('a policy of another configuration');
    return keeper;
  });
  return {
    ...gateSteps(config, verifier, onOutcome),

    /**
     * Whether the request's token was verified before and is remembered. It may have expired since: use this only to let it
     * through a throttle to `authenticate`. Costs a digest.
     */
    isRemembered(req: Request): boolean {
      const token = bearerToken(req);
      return token !== undefined && verifier.remembers(token);
    },

    keys: keepFresh(keepers, client),
  };
}

const TICK_MS = 1_000;

function keepFresh(keepers: ReadonlyMap<Policy, TenantKeys>, client: TenantClient) {
  const all = [...keepers.values()];
  let timer: NodeJS.Timeout | undefined;
  const tick = (): void => {
    for (const keeper of all) keeper.refreshWhenDue();
  };
  return {
    /** Whether the keys of any policy are known; only tokens of the others are refused. From memory. */
    isReady: () => all.some((keeper) => keeper.current() !== undefined),

    /** Whether the keys of each policy are known, by its label. From memory. */
    policies: () => new Map([...keepers].map(([{ label }, keeper]) => [label, keeper.current() !== undefined])),

    /** Fetches the keys in the background and then keeps them fresh. */
    start() {
      tick();
      timer ??= setInterval(tick, TICK_MS).unref();
    },

    async close() {
      clearInterval(timer);
      await Promise.all(all.map((keeper) => keeper.close()));
      await client.close();
    },
  };
}
