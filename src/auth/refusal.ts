/** Why a token, or the way it came, is refused. Stable: logs, metrics and alerts are built on these words. */
export type Reason =
  | 'malformed'
  | 'algorithm'
  | 'critical'
  | 'type'
  | 'no_kid'
  | 'expired'
  | 'not_yet_valid'
  | 'lifetime'
  | 'audience'
  | 'policy'
  | 'no_oid'
  | 'issuer'
  | 'unknown_key'
  | 'signature';

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

/** The token is not good. The first finding is what the caller is told; the log gets all. */
export class TokenRefusedError extends Error {
  readonly findings: readonly [Finding, ...Finding[]];

  constructor(findings: readonly [Finding, ...Finding[]], options?: ErrorOptions) {
    super(findings[0].description, options);
    this.name = 'TokenRefusedError';
    this.findings = findings;
  }
}
