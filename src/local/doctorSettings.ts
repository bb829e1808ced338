/** For `npm run doctor -- --dev`. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import { dataDirectory } from './directory.ts';
import { type Environment, ownSettings } from './environment.ts';
import { loadTenantState } from './tenant/state.ts';
import { addressesOf } from './tenant/tenant.ts';
import { tenantOrigin } from './tenant/tokens.ts';

/** What `npm run dev` sets for the API. This process then trusts the development tenant's certificate. */
export async function developmentSettings(environment: Environment): Promise<Record<string, string>> {
  const directory = dataDirectory(environment);
  const origin = tenantOrigin(await loadTenantState(directory.tenant));
  const certificatePath = join(directory.tenant, 'certificate.pem');
  const certificate = await readFile(certificatePath, 'utf8');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate]);
  return ownSettings({ ...addressesOf(origin), certificatePath }, directory);
}

/** Milliseconds that a tenant on this machine has to answer. */
const ANSWER_MS = 1_000;

/** Whether the development tenant answers. Changes nothing. */
export async function isDevelopmentRunning(environment: Environment): Promise<boolean> {
  if (!existsSync(join(dataDirectory(environment).tenant, 'certificate.pem'))) return false;
  const { EXTERNAL_ID_METADATA = '' } = await developmentSettings(environment);
  const answer = await fetch(EXTERNAL_ID_METADATA, { signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => undefined);
  return answer?.ok === true;
}
