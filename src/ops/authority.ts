/** Where tokens for this server are issued, and what to ask for. */
export interface Authority {
  /** https URL of the tenant's OpenID metadata. */
  readonly metadataUrl: string;
  /** As the tenant wants them asked for. */
  readonly scopes: readonly string[];
}

/** As much of the configuration as this is made of. */
export interface AuthoritySettings {
  readScope: string | undefined;
  writeScope: string | undefined;
  docsScopes: readonly string[];
  tenants: readonly {
    kind: 'b2c' | 'external-id';
    policies: readonly { metadataUrl: string }[];
    audiences: readonly string[];
  }[];
}

/**
 * The first tenant, under its first policy.
 *
 * @param clientId of the application that asks, if it is known
 */
export function authorityOf(
  { readScope, writeScope, docsScopes, tenants }: AuthoritySettings,
  clientId?: string,
): Authority | undefined {
  const [tenant] = tenants;
  const metadataUrl = tenant?.policies[0]?.metadataUrl;
  const audience = tenant?.audiences[0];
  if (metadataUrl === undefined || audience === undefined) return undefined;
  if (docsScopes.length > 0) return { metadataUrl, scopes: docsScopes };
  const names = [readScope, writeScope].filter((scope) => scope !== undefined);
  // An application that is the API itself asks B2C for a token by its own id (there is no scope to name).
  if (clientId !== undefined && tenant?.kind === 'b2c' && names.length === 0 && tenant.audiences.includes(clientId)) {
    return { metadataUrl, scopes: [clientId] };
  }
  const prefix = tenant?.kind === 'b2c' ? `https://${directoryOf(metadataUrl)}/${audience}/` : `api://${audience}/`;
  return { metadataUrl, scopes: (names.length > 0 ? names : ['.default']).map((name) => prefix + name) };
}

/** `contoso.onmicrosoft.com`: with the API's client id it makes the App ID URI that the portal proposes. */
function directoryOf(metadataUrl: string): string {
  return new URL(metadataUrl).pathname.split('/')[1] ?? '';
}
