/** Where tokens for this server are issued, what to ask for there, and how the API document says so. */
import type { Config } from '../config.ts';
import type { Schema } from '../http/schema.ts';

export interface Authority {
  /** https URL of the tenant's OpenID metadata. */
  readonly metadataUrl: string;
  /** As the tenant wants them asked for. */
  readonly scopes: readonly string[];
}

/** Where readers of `/docs` sign in, so that they can try calls. */
export interface SignIn extends Authority {
  /** The application with which they do: a single-page one, with the page as a redirect URI. */
  readonly clientId: string;
}

/** Undefined without a client id for the page. */
export function signInOf(config: Config): SignIn | undefined {
  const clientId = config.docsClientId;
  const authority = clientId === undefined ? undefined : authorityOf(config, clientId);
  return clientId === undefined || authority === undefined ? undefined : { clientId, ...authority };
}

/**
 * The first tenant, under its first policy.
 *
 * @param clientId of the application that asks, if it is known
 */
export function authorityOf(
  { readScope, writeScope, docsScopes, tenants }: Config,
  clientId?: string,
): Authority | undefined {
  const [tenant] = tenants;
  const metadataUrl = tenant?.policies[0]?.metadataUrl;
  const audience = tenant?.audiences[0];
  if (metadataUrl === undefined || audience === undefined) return undefined;
  if (docsScopes.length > 0) return { metadataUrl, scopes: docsScopes };
  const names = [readScope, writeScope].filter((scope) => scope !== undefined);
  // An application that is the API itself asks B2C for a token with its own id (there is no scope to name).
  if (
    clientId !== undefined &&
    tenant?.domain !== undefined &&
    names.length === 0 &&
    tenant.audiences.includes(clientId)
  ) {
    return { metadataUrl, scopes: [clientId] };
  }
  // The Application ID URI that the portal proposes.
  const prefix = tenant?.domain === undefined ? `api://${audience}/` : `https://${tenant.domain}/${audience}/`;
  return { metadataUrl, scopes: (names.length > 0 ? names : ['.default']).map((name) => prefix + name) };
}

/** How a client gets its token, as OpenAPI describes it. */
export function securitySchemes(authority: Authority | undefined): Record<string, Schema> {
  const bearer = {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An access token from the tenant, in `Authorization: Bearer …` and nowhere else.',
  };
  const oauth2 = authority && authorizationCode(authority);
  return { bearer, ...(oauth2 && { oauth2 }) };
}

const METADATA = '/v2.0/.well-known/openid-configuration';

/**
 * The authorization code flow at the tenant. Microsoft's tenants have its endpoints beside their metadata, so nothing is
 * fetched; undefined if the metadata is elsewhere.
 */
function authorizationCode({ metadataUrl, scopes }: Authority): Schema | undefined {
  const metadata = new URL(metadataUrl);
  if (!metadata.pathname.endsWith(METADATA)) return undefined;
  const endpoint = (name: string): string => {
    const url = new URL(metadata);
    url.pathname = url.pathname.replace(METADATA, `/oauth2/v2.0/${name}`);
    return url.href;
  };
  const described = Object.fromEntries(scopes.map((scope) => [scope, 'Your tasks.']));
  return {
    type: 'oauth2',
    description: 'Sign in at the tenant, with PKCE. Its access token is sent as a bearer token.',
    flows: {
      authorizationCode: {
        authorizationUrl: endpoint('authorize'),
        tokenUrl: endpoint('token'),
        refreshUrl: endpoint('token'),
        scopes: { ...described, offline_access: 'A refresh token as well.' },
      },
    },
  };
}
