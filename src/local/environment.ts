import type { DataDirectory } from './directory.ts';
import { b2c } from './tenant/authority.ts';
import { CLIENT_ID, EXTERNAL_CLIENT_ID, OWNER_CLAIM, POLICIES, SCOPES, TENANT_NAME } from './tenant/identity.ts';
import type { Tenant } from './tenant/tenant.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Which address the API listens on in development, and which one a client on this machine calls. */
export interface Listening {
  host: string;
  /** As text: the API itself refuses an invalid one. */
  port: string;
}

/** Loopback and 3000 unless the environment or `.env` says otherwise. */
export function chooseListening(environment: Environment): Listening {
  return { host: environment['HOST']?.trim() || '127.0.0.1', port: environment['PORT']?.trim() || '3000' };
}

/**
 * What `npm run dev` decides itself, whatever the environment or `.env` say. A `.env` often holds production's settings, but
 * development must never reach its database or accept its tokens. An empty value keeps `.env` out as well: dotenv fills in
 * only what is absent. Everything else (CORS_ORIGINS, LOG_LEVEL, THROTTLE_RATE, …) stays as it is set.
 */
export function ownSettings(
  tenant: Pick<Tenant, 'metadataUrl' | 'externalMetadataUrl' | 'certificatePath'>,
  directory: DataDirectory,
): Record<string, string> {
  return {
    NODE_ENV: 'development',
    MONGODB_URI: `embedded:${directory.store}`,
    B2C_TENANT_NAME: TENANT_NAME,
    B2C_POLICY_NAME: POLICIES.join(','),
    B2C_CLIENT_ID: CLIENT_ID,
    B2C_AUDIENCE: '',
    B2C_IDENTITY_METADATA: tenant.metadataUrl,
    B2C_ISSUER: '',
    B2C_VALIDATE_ISSUER: 'true',
    EXTERNAL_ID_METADATA: tenant.externalMetadataUrl,
    EXTERNAL_ID_CLIENT_ID: EXTERNAL_CLIENT_ID,
    EXTERNAL_ID_OWNER_CLAIM: OWNER_CLAIM,
    DOCS_CLIENT_ID: CLIENT_ID,
    DOCS_SCOPES: SCOPES.map((name) => b2c(POLICIES[0]).scopePrefix + name).join(','),
    // Only this process trusts the tenant's certificate, besides the usual authorities. Verification stays on.
    NODE_EXTRA_CA_CERTS: tenant.certificatePath,
  };
}

/** A required scope becomes the development tenant's: it issues no other. */
export function ownScopes(environment: Environment): Record<string, string> {
  const [read, write] = SCOPES;
  return {
    ...(environment['B2C_READ_SCOPE']?.trim() && { B2C_READ_SCOPE: read }),
    ...(environment['B2C_WRITE_SCOPE']?.trim() && { B2C_WRITE_SCOPE: write }),
  };
}

/** The names of settings for another store or tenant, which development ignores. */
export function ignoredSettings(environment: Environment, own: Environment): string[] {
  const isOther = (name: string) => Boolean(environment[name]) && environment[name] !== own[name];
  return Object.keys(own).filter((name) => /^(MONGODB|B2C|EXTERNAL_ID|DOCS)_/.test(name) && isOther(name));
}

/** The base URL for a client on this machine. */
export function localUrl({ host, port }: Listening): string {
  if (['0.0.0.0', '::'].includes(host)) return `http://127.0.0.1:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
