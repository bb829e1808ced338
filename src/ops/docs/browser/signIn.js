/** Authorization code with PKCE (RFC 7636), in this window, since a phone would lose a pop-up. */
import * as oauth from './oauth4webapi.js';

/**
 * @typedef {{ clientId: string, metadataUrl: string, scopes: string }} Tenant
 * @typedef {{ verifier: string, state: string, hash: string }} Pending
 */

/** Kept between leaving and coming back, for this tab only. */
const PENDING = 'tasks-api:sign-in';

/**
 * Leaves for the tenant.
 *
 * @param {Tenant} tenant
 * @throws {Error} when the tenant cannot be reached.
 */
export async function leaveToSignIn({ clientId, metadataUrl, scopes }) {
  const { authorization_endpoint } = await readMetadata(metadataUrl);
  if (authorization_endpoint === undefined) throw new Error('the tenant names no authorization endpoint');
  const pending = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    hash: location.hash,
  };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const url = new URL(authorization_endpoint);
  const parameters = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri(),
    scope: scopes,
    state: pending.state,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  location.assign(url);
}

/** Whether the tenant has just sent the reader back. */
export function isBack() {
  return sessionStorage.getItem(PENDING) !== null && /[?&](code|error)=/.test(location.search);
}

/**
 * Exchanges the code for an access token, and removes it from the address bar.
 *
 * @param {Tenant} tenant
 * @returns {Promise<string>}
 * @throws {Error} with what the tenant said, when it gave no token.
 */
export async function finishSignIn({ clientId, metadataUrl }) {
  const { verifier, state, hash } = /** @type {Pending} */ (JSON.parse(sessionStorage.getItem(PENDING) ?? '{}'));
  sessionStorage.removeItem(PENDING);
  const redirected = new URL(location.href);
  history.replaceState(null, '', location.pathname + hash);
  const client = { client_id: clientId };
  const server = await readMetadata(metadataUrl);
  try {
    const code = oauth.validateAuthResponse(server, client, redirected, state);
    const none = oauth.None();
    const response = await oauth.authorizationCodeGrantRequest(server, client, none, code, redirectUri(), verifier);
    return (await oauth.processAuthorizationCodeResponse(server, client, response)).access_token;
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error });
  }
}

/**
 * Leaves to end the session at the tenant as well, if the tenant has an endpoint for that.
 *
 * @param {Tenant} tenant
 * @throws {Error} when the tenant cannot be reached.
 */
export async function leaveToSignOut({ metadataUrl }) {
  const { end_session_endpoint } = await readMetadata(metadataUrl);
  if (end_session_endpoint === undefined) return;
  const url = new URL(end_session_endpoint);
  url.searchParams.set('post_logout_redirect_uri', redirectUri());
  location.assign(url);
}

/**
 * The tenant's metadata. The library's own discovery would look for it at the issuer, and Microsoft's is elsewhere.
 *
 * @param {string} url
 * @returns {Promise<oauth.AuthorizationServer>}
 */
async function readMetadata(url) {
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok) throw new Error('the tenant cannot be reached from this page');
  return /** @type {Promise<oauth.AuthorizationServer>} */ (response.json());
}

/** This page, as it must be registered for the application: without query or fragment. */
function redirectUri() {
  return location.origin + location.pathname;
}

/** @param {unknown} error */
function reasonOf(error) {
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
    return error.error_description ?? error.error;
  }
  return error instanceof TypeError ? 'the tenant cannot be reached from this page' : String(error);
}
