/** How a client comes by its token, in the words of OpenAPI. */
import type { Schema } from '../../http/schema.ts';
import type { Authority } from '../authority.ts';

export const bearer: Schema = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: 'An access token of the tenant, in `Authorization: Bearer …` and nowhere else.',
};

const METADATA = '/v2.0/.well-known/openid-configuration';

/**
 * The authorization code flow at the tenant. Microsoft's tenants have its endpoints beside their metadata, so none is fetched
 * for them; nothing where the metadata is elsewhere.
 */
export function authorizationCode({ metadataUrl, scopes }: Authority): Schema | undefined {
  const metadata = new URL(metadataUrl);
  if (!metadata.pathname.endsWith(METADATA)) return undefined;
  const endpoint = (name: string): string => {
    const url = new URL(metadata);
    url.pathname = url.pathname.replace(METADATA, `/oauth2/v2.0/${name}`);
    return url.href;
  };
  return {
    type: 'oauth2',
    description: 'Signing in at the tenant, with PKCE. What it issues is sent as a bearer token.',
    flows: {
      authorizationCode: {
        authorizationUrl: endpoint('authorize'),
        tokenUrl: endpoint('token'),
        refreshUrl: endpoint('token'),
        scopes: Object.fromEntries(
          [...scopes, 'offline_access'].map((scope) => [scope, SCOPES[scope] ?? 'Your tasks.']),
        ),
      },
    },
  };
}

const SCOPES: Readonly<Record<string, string>> = { offline_access: 'A refresh token as well.' };
