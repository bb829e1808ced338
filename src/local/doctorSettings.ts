/** For `npm run doctor -- --dev`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import { dataDirectory } from './directory.ts';
import { ownSettings, type Environment } from './environment.ts';
import { loadTenantState } from './tenant/state.ts';
import { addressesOf } from './tenant/tenant.ts';
import { tenantOrigin } from './tenant/tokens.ts';

/** What `npm run dev` sets for the API, and this process trusts the development tenant's certificate from then on. */
export async function developmentSettings(environment: Environment): Promise<Record<string, string>> {
  const directory = dataDirectory(environment);
  const origin = tenantOrigin(await loadTenantState(directory.tenant));
  const certificatePath = join(directory.tenant, 'certificate.pem');
  const certificate = await readFile(certificatePath, 'utf8');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate]);
  return ownSettings({ ...addressesOf(origin), certificatePath }, directory);
}
