import {
  CLIENT_ID,
  EXTERNAL_CLIENT_ID,
  EXTERNAL_TENANT_ID,
  POLICIES,
  SCOPES,
  TENANT_ID,
  TENANT_NAME,
} from './identity.ts';

/** Where people sign in: a user flow of the B2C tenant, or the External ID tenant. */
export interface Authority {
  /** The first part of the path of all its addresses. */
  readonly path: string;
  readonly tenantId: string;
  /** Of the API and of the apps that call it. */
  readonly clientId: string;
  /** The user flow. External ID has none. */
  readonly policy: string | undefined;
  /** What may be asked for besides scopes of the API. */
  readonly openIdScopes: readonly string[];
  /** What an app puts before the short name of one of the API's scopes. */
  readonly scopePrefix: string;
}

export function b2c(policy: string): Authority {
  return {
    path: `${TENANT_NAME}/${policy}`,
    tenantId: TENANT_ID,
    clientId: CLIENT_ID,
    policy,
    openIdScopes: ['openid', 'profile', 'offline_access'],
    scopePrefix: `https://${TENANT_NAME}/api/`,
  };
}

export const externalId: Authority = {
  path: EXTERNAL_TENANT_ID,
  tenantId: EXTERNAL_TENANT_ID,
  clientId: EXTERNAL_CLIENT_ID,
  policy: undefined,
  openIdScopes: ['openid', 'profile', 'email', 'offline_access'],
  scopePrefix: `api://${EXTERNAL_CLIENT_ID}/`,
};

export const authorities: readonly Authority[] = [...POLICIES.map(b2c), externalId];

/** As with real tenants, the issuer has the tenant's GUID where addresses may have its name; B2C's ends in a slash. */
export function issuerOf({ tenantId, policy }: Authority, origin: string): string {
  return `${origin}/${tenantId}/v2.0${policy === undefined ? '' : '/'}`;
}

/** The scopes that were asked for, all of them known. */
export interface Scopes {
  /** As the request spelled them, for the answer. */
  readonly asked: string;
  /** `scp` of an access token; empty for the client id alone; undefined if no access token was asked for. */
  readonly ofApi: string | undefined;
  readonly openId: boolean;
  readonly offline: boolean;
}

/** What is wrong with a `scope` parameter. */
export type ScopeProblem = { unknown: string } | { isEmpty: true };

/** Reads a `scope` parameter. As in B2C, an app's own client id asks for an access token that carries no scope. */
export function readScopes(authority: Authority, text: string): Scopes | ScopeProblem {
  const names = [...new Set(text.split(' ').filter(Boolean))];
  const ofApi = new Map<string, string>([
    [authority.clientId, ''],
    ...SCOPES.map((name) => [authority.scopePrefix + name, name] as const),
    // Microsoft's name for every scope that the app was granted.
    ...(authority.policy === undefined ? [[`${authority.scopePrefix}.default`, SCOPES.join(' ')] as const] : []),
  ]);
  const unknown = names.find((name) => !ofApi.has(name) && !authority.openIdScopes.includes(name));
  if (unknown !== undefined) return { unknown };
  const granted = names.flatMap((name) => ofApi.get(name) ?? []);
  const openId = names.includes('openid');
  if (granted.length === 0 && !openId) return { isEmpty: true };
  return {
    asked: names.join(' '),
    ofApi: granted.length === 0 ? undefined : granted.filter(Boolean).join(' '),
    openId,
    offline: names.includes('offline_access'),
  };
}
