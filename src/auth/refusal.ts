import { UnauthorizedError } from '../errors.ts';

/** Why a token, or the way it came, is refused. Stable: logs, metrics and alerts are built on these words. */
export const REASONS = [
  ...(['malformed', 'algorithm', 'critical', 'type', 'no_kid', 'expired', 'not_yet_valid', 'lifetime'] as const),
  ...(['audience', 'app_only', 'policy', 'no_oid', 'owner', 'issuer', 'unknown_key', 'signature'] as const),
] as const;
export type Reason = (typeof REASONS)[number];

/** One thing that is wrong with a token. */
export interface Finding {
  reason: Reason;
  /** What was looked at: a claim, a member of the header, or `token`. */
  subject: string;
  expected: string;
  /** What came, shortened. For the log and the operator, never for the response. */
  received: string;
  /** For the developer of the client, in the response. Quotes nothing of the token. */
  description: string;
  /** What to change, and where. */
  cure: string;
}

type Findings = readonly [Finding, ...Finding[]];

/** The token is not good. The first finding is what the caller is told; the log gets all. */
export class TokenRefusedError extends UnauthorizedError {
  readonly reason: Reason;
  readonly #find: () => Findings;
  #findings: Findings | undefined;

  /** @param find tells all that is wrong; asked when somebody reads it, since most refusals are floods */
  constructor({ reason, description }: Pick<Finding, 'reason' | 'description'>, find: () => Findings) {
    super(description, 'invalid_token');
    this.reason = reason;
    this.#find = find;
  }

  get findings(): Findings {
    return (this.#findings ??= this.#find());
  }
}
