import { authorities, type Authority, externalId } from './authority.ts';
import { TENANT_ID, TENANT_NAME } from './identity.ts';

/** The endpoints of an authority, with the paths that Microsoft gives them. */
const endpoints = {
  metadata: 'v2.0/.well-known/openid-configuration',
  keys: 'discovery/v2.0/keys',
  authorize: 'oauth2/v2.0/authorize',
  token: 'oauth2/v2.0/token',
  logout: 'oauth2/v2.0/logout',
} as const;

export type Endpoint = keyof typeof endpoints;

/** What a request is for. */
export interface Address {
  authority: Authority;
  endpoint: Endpoint;
  query: URLSearchParams;
}

const NAMES = Object.entries(endpoints).map(([endpoint, path]) => ({ endpoint: endpoint as Endpoint, path }));

/** The path under which the authority's own documents name an endpoint. */
export function pathOf({ path }: Pick<Authority, 'path'>, endpoint: Endpoint): string {
  return `/${path}/${endpoints[endpoint]}`;
}

/**
 * Understands every form of B2C's addresses: the tenant by name or by GUID; the policy in the path, or as `?p=`; the older
 * `/tfp/` and `/te/` prefixes. External ID has its GUID and no policy. Undefined for another tenant, an unknown policy or
 * path: Microsoft answers 404.
 */
export function parseAddress(url: URL): Address | undefined {
  const [, tenant, rest] = /^\/(?:tfp\/|te\/)?([^/]+)\/(.+)$/i.exec(url.pathname) ?? [];
  if (tenant === undefined || rest === undefined) return undefined;
  const known = NAMES.find(({ path }) => rest === path || rest.endsWith(`/${path}`));
  if (known === undefined) return undefined;
  const inPath = rest.slice(0, -known.path.length - 1);
  const authority = findAuthority(tenant.toLowerCase(), inPath, url.searchParams.get('p'));
  return authority && { authority, endpoint: known.endpoint, query: url.searchParams };
}

function findAuthority(tenant: string, inPath: string, inQuery: string | null): Authority | undefined {
  if (tenant === externalId.tenantId) return inPath === '' ? externalId : undefined;
  if (![TENANT_NAME, TENANT_NAME.replace('.onmicrosoft.com', ''), TENANT_ID].includes(tenant)) return undefined;
  const policy = (inPath === '' ? inQuery : inPath)?.toLowerCase();
  return policy === undefined ? undefined : authorities.find((authority) => authority.policy === policy);
}
