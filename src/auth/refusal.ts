import { UnauthorizedError } from '../errors.ts';

/** Why a token is refused. Stable: logs, metrics and alerts depend on these words. */
export const REASONS = [
  ...(['malformed', 'algorithm', 'critical', 'type', 'no_kid', 'expired', 'not_yet_valid', 'lifetime'] as const),
  ...(['audience', 'app_only', 'policy', 'no_oid', 'owner', 'issuer', 'unknown_key', 'signature'] as const),
] as const;
export type Reason = (typeof REASONS)[number];

/** One thing that is wrong with a token. */
export interface Finding {
  reason: Reason;
  /** What was checked: a claim, a member of the header, or `token`. */
  subject: string;
  expected: string;
  /** The received value, shortened. For the log and the operator, never for the response. */
  received: string;
  /** For the client's developer, in the response. Does not quote the token. */
  description: string;
  /** What to change, and where. */
  cure: string;
}

type Findings = readonly [Finding, ...Finding[]];

/** The token is refused. The caller is told the first finding; the log gets all. */
export class TokenRefusedError extends UnauthorizedError {
  readonly reason: Reason;
  readonly #find: () => Findings;
  #findings: Findings | undefined;

  /** @param find returns everything that is wrong; called on demand, since floods of refusals are rarely read */
  constructor({ reason, description }: Pick<Finding, 'reason' | 'description'>, find: () => Findings) {
    super(description, 'invalid_token');
    this.reason = reason;
    this.#find = find;
  }

  get findings(): Findings {
    return (this.#findings ??= this.#find());
  }
}
