import { randomUUID } from 'node:crypto';

/** Microsoft's error codes, each with its OAuth error and a text close to Microsoft's own. */
const refusals = {
  AADB2C90014: ['invalid_request', "The requested response mode '{0}' provided in the request is not supported."],
  AADB2C90013: [
    'unsupported_response_type',
    "The requested response type '{0}' provided in the request is not supported.",
  ],
  AADB2C90010: ['invalid_request', 'The request does not contain a scope parameter.'],
  AADB2C90043: [
    'invalid_request',
    "The prompt included in the request contains invalid values. Expected 'none', 'login', 'consent' or 'select_account'.",
  ],
  AADB2C90077: [
    'interaction_required',
    "User does not have an existing session and request prompt parameter has a value of 'None'.",
  ],
  AADB2C90080: [
    'invalid_grant',
    'The provided grant is unknown, was used before or has expired. Please re-authenticate and try again.',
  ],
  AADB2C90086: ['unsupported_grant_type', 'The supplied grant_type [{0}] is not supported.'],
  AADB2C90088: ['invalid_grant', 'The provided grant has not been issued for this endpoint.'],
  AADB2C90091: ['access_denied', 'The user has cancelled entering self-asserted information.'],
  AADB2C90115: [
    'invalid_request',
    "When requesting the 'code' response_type, the scope parameter must include a resource or client ID for access tokens, and 'openid' for ID tokens.",
  ],
  AADB2C90117: ['invalid_scope', "The scope '{0}' provided in the request is not supported."],
  AADB2C90118: ['access_denied', 'The user has forgotten their password.'],
  AADB2C90183: [
    'invalid_grant',
    'The supplied code_verifier is missing or does not match the associated code_challenge.',
  ],
  AADB2C90184: ['invalid_request', 'PKCE is required: code_challenge and code_challenge_method=S256.'],
  AADB2C90279: ['invalid_grant', "The provided client id '{0}' does not match the client id that issued the grant."],
} as const;

export type RefusalCode = keyof typeof refusals;

/** A request for authorization or for a token that is refused (RFC 6749, sections 4.1.2.1 and 5.2). */
export class RefusedError extends Error {
  /** The `error` of OAuth. */
  readonly error: string;

  /** The message is the `error_description`. */
  constructor(error: string, description: string) {
    super(description);
    this.error = error;
  }
}

/** In the form of Microsoft's answers. */
export function refusal(code: RefusalCode, value = ''): RefusedError {
  const [error, text] = refusals[code];
  const timestamp = new Date().toISOString().replace('T', ' ').replace(/\.\d+/, '');
  return new RefusedError(
    error,
    `${code}: ${text.replace('{0}', value)}\r\nCorrelation ID: ${randomUUID()}\r\nTimestamp: ${timestamp}\r\n`,
  );
}
