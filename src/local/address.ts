import { POLICIES, TENANT_ID, TENANT_NAME } from './tenant/identity.ts';

/** The endpoints of a policy, with the paths that B2C gives them. */
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
  policy: string;
  endpoint: Endpoint;
  query: URLSearchParams;
}

const NAMES = Object.entries(endpoints).map(([endpoint, path]) => ({ endpoint: endpoint as Endpoint, path }));

/** The path under which the tenant's own documents name an endpoint: `/<tenant>/<policy>/…`. */
export function pathOf(policy: string, endpoint: Endpoint): string {
  return `/${TENANT_NAME}/${policy}/${endpoints[endpoint]}`;
}

/**
 * Understands every form in which B2C can be addressed: the tenant by name or by GUID; the policy in the path, or as
 * `?p=`; the older `/tfp/` and `/te/` in front. Nothing for another tenant, an unknown policy or path: B2C answers 404.
 */
export function parseAddress(target: string): Address | undefined {
  const url = URL.parse(target, 'https://localhost');
  const [, tenant, rest] = /^\/(?:tfp\/|te\/)?([^/]+)\/(.+)$/i.exec(url?.pathname ?? '') ?? [];
  if (url === null || tenant === undefined || rest === undefined || !isTenant(tenant)) return undefined;
  const known = NAMES.find(({ path }) => rest === path || rest.endsWith(`/${path}`));
  if (known === undefined) return undefined;
  const inPath = rest.slice(0, -known.path.length - 1);
  const policy = findPolicy(inPath === '' ? url.searchParams.get('p') : inPath);
  return policy === undefined ? undefined : { policy, endpoint: known.endpoint, query: url.searchParams };
}

function isTenant(segment: string): boolean {
  const name = segment.toLowerCase();
  return [TENANT_NAME, TENANT_NAME.replace('.onmicrosoft.com', ''), TENANT_ID].includes(name);
}

function findPolicy(name: string | null): string | undefined {
  return POLICIES.find((policy) => policy === name?.toLowerCase());
}
