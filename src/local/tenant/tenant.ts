/** The development tenant: an issuer of Azure AD B2C's shape over HTTPS, on loopback. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { createIssuer, tenantOrigin } from './accessToken.ts';
import { pathOf } from '../address.ts';
import { loadCertificate } from './certificate.ts';
import { DevError, systemCode } from '../errors.ts';
import { Grants } from './grants.ts';
import { POLICIES } from './identity.ts';
import { createPolicyService } from './policyService.ts';
import { loadTenantState, type TenantState } from '../state.ts';
import { createTenantHandler } from './tenantHandler.ts';

export interface Tenant {
  readonly origin: string;
  /** The OpenID metadata's URL, with `{policy}` for the policy. */
  readonly metadataUrl: string;
  /** PEM: what a client has to trust. */
  readonly certificate: string;
  readonly certificatePath: string;
  close(): Promise<void>;
}

/**
 * Starts the tenant with the state kept in `directory`, which is made on first use.
 *
 * @throws {DevError} when the state cannot be used or its port is taken.
 */
export async function startTenant({ directory, clock = Date }: { directory: string; clock?: Clock }): Promise<Tenant> {
  const state = await loadTenantState(directory);
  const certificatePath = join(directory, 'certificate.pem');
  const certificate = await loadCertificate({ path: certificatePath, tlsKey: state.tlsKey, clock });
  const server = createServer({ key: state.tlsKey, cert: certificate }, await createHandler(state, clock));
  await listen(server, state.port, directory);
  const origin = tenantOrigin(state);
  const metadataUrl = `${origin}${pathOf('{policy}', 'metadata')}`;
  return { origin, metadataUrl, certificate, certificatePath, close: () => close(server) };
}

async function createHandler(state: TenantState, clock: Clock): Promise<ReturnType<typeof createTenantHandler>> {
  const issuer = await createIssuer(state);
  const grants = new Grants(clock);
  const origin = tenantOrigin(state);
  const services = POLICIES.map((policy) => {
    return [policy, createPolicyService({ issuer, origin, policy, grants, clock })] as const;
  });
  return createTenantHandler({ origin, services: new Map(services), grants });
}

async function listen(server: Server, port: number, directory: string): Promise<void> {
  server.listen({ port, host: '127.0.0.1' });
  try {
    await once(server, 'listening');
  } catch (cause) {
    if (systemCode(cause) !== 'EADDRINUSE') throw cause;
    throw new DevError(
      `The development tenant's port ${port} is taken: is another \`npm run dev\` running? Stop it. If it is some other` +
        ` program, delete ${directory}: the next start chooses another port and makes new keys. Tokens issued before are` +
        ' refused then; tasks are kept elsewhere and stay.',
      { cause },
    );
  }
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  if (server.listening) await once(server, 'close');
}
