/** Where readers of the page sign in, so that they can try things. */
export interface SignIn {
  /** The application under which they do: a single-page one, to which this page is registered as a redirect URI. */
  readonly clientId: string;
  /** https URL of the tenant's OpenID metadata. */
  readonly metadataUrl: string;
  /** As the tenant wants them asked for. */
  readonly scopes: readonly string[];
}

/** As much of the configuration as this is made of. */
interface Settings {
  docsClientId: string | undefined;
  readScope: string | undefined;
  writeScope: string | undefined;
  tenants: readonly {
    kind: 'b2c' | 'external-id';
    policies: readonly { metadataUrl: string }[];
    audiences: readonly string[];
  }[];
}

/** At the first tenant, under its first policy. Nothing without a client id of the page's own. */
export function signInOf({ docsClientId, readScope, writeScope, tenants }: Settings): SignIn | undefined {
  const [tenant] = tenants;
  const metadataUrl = tenant?.policies[0]?.metadataUrl;
  const audience = tenant?.audiences[0];
  if (docsClientId === undefined || metadataUrl === undefined || audience === undefined) return undefined;
  const names = [readScope, writeScope].filter((scope) => scope !== undefined);
  // An application that is the API itself asks B2C for a token by its own id (there is no scope to name).
  const isApi = tenant?.kind === 'b2c' && names.length === 0 && tenant.audiences.includes(docsClientId);
  const prefix = tenant?.kind === 'b2c' ? `https://${directoryOf(metadataUrl)}/${audience}/` : `api://${audience}/`;
  const scopes = isApi ? [docsClientId] : (names.length > 0 ? names : ['.default']).map((name) => prefix + name);
  return { clientId: docsClientId, metadataUrl, scopes };
}

/** `contoso.onmicrosoft.com`: with the API's client id it makes the App ID URI that the portal proposes. */
function directoryOf(metadataUrl: string): string {
  return new URL(metadataUrl).pathname.split('/')[1] ?? '';
}
