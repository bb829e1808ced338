/** For `npm run doctor -- --dev`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import { tenantOrigin } from './tenant/accessToken.ts';
import { pathOf } from './address.ts';
import { dataDirectory } from './directory.ts';
import { ownSettings, type Environment } from './environment.ts';
import { loadTenantState } from './state.ts';

/** What `npm run dev` sets for the API, and this process trusts the development tenant's certificate from then on. */
export async function developmentSettings(environment: Environment): Promise<Record<string, string>> {
  const directory = dataDirectory(environment);
  const origin = tenantOrigin(await loadTenantState(directory.tenant));
  const certificatePath = join(directory.tenant, 'certificate.pem');
  const certificate = await readFile(certificatePath, 'utf8');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate]);
  const metadataUrl = `${origin}${pathOf('{policy}', 'metadata')}`;
  return ownSettings({ origin, metadataUrl, certificate, certificatePath, close: () => Promise.resolve() }, directory);
}
