/** The challenges of RFC 6750, section 3. */

const BARE = 'Bearer realm="Users"';

/** For a request without credentials: no error, since the client may not have known that it needs any. */
export function bareChallenge(): string {
  return BARE;
}

export function challenge(error: 'invalid_token' | 'invalid_request', description: string): string {
  return `${BARE}, error="${error}", error_description="${descriptionText(description)}"`;
}

/** @param scope the scope that is needed, in characters of RFC 6749, section 3.3 */
export function scopeChallenge(scope: string): string {
  return `${BARE}, error="insufficient_scope", scope="${scope}"`;
}

/** RFC 6750, section 3: printable ASCII without quote and backslash, so that nothing ends the quoted string early. */
function descriptionText(description: string): string {
  return description.replace(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, '?');
}
