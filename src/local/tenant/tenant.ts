/** The development tenant: an issuer like Azure AD B2C and Entra External ID, over HTTPS, on loopback. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { DevError, systemCode } from '../errors.ts';
import { pathOf } from './address.ts';
import { b2c, externalId } from './authority.ts';
import { loadCertificate } from './certificate.ts';
import { createTenantHandler } from './handler.ts';
import { type ApiFacts, homePage } from './homePage.ts';
import { loadTenantState } from './state.ts';
import { Tickets } from './tickets.ts';
import { createSigner } from './tokens.ts';

export interface Tenant {
  readonly origin: string;
  /** The URL of B2C's OpenID metadata, with `{policy}` for the policy. */
  readonly metadataUrl: string;
  readonly externalMetadataUrl: string;
  /** PEM: what a client has to trust. */
  readonly certificate: string;
  readonly certificatePath: string;
  close(): Promise<void>;
}

interface Options {
  directory: string;
  clock?: Clock;
  /** What the page at the root says of the API; by default, that it is where `npm run dev` puts it. */
  api?: ApiFacts;
}

/**
 * Starts the tenant with the state in `directory`, which is created on first use.
 *
 * @throws {DevError} when the state cannot be used or its port is in use.
 */
export async function startTenant(options: Options): Promise<Tenant> {
  const { directory, clock = Date, api = { url: 'http://127.0.0.1:3000', samples: [] } } = options;
  const state = await loadTenantState(directory);
  const certificatePath = join(directory, 'certificate.pem');
  const certificate = await loadCertificate({ path: certificatePath, tlsKey: state.tlsKey, clock });
  const signer = createSigner(state);
  const { origin } = signer;
  const tickets = new Tickets(state.signingKey, clock);
  const page = homePage({ origin, certificatePath, api });
  const handler = createTenantHandler({ signer, tickets, clock, certificate, page });
  const server = createServer({ key: state.tlsKey, cert: certificate }, handler);
  await listen(server, state.port, directory);
  return { ...addressesOf(origin), certificate, certificatePath, close: () => close(server) };
}

/** The addresses of a tenant with that origin. */
export function addressesOf(origin: string): Pick<Tenant, 'origin' | 'metadataUrl' | 'externalMetadataUrl'> {
  const metadataUrl = origin + pathOf(b2c('{policy}'), 'metadata');
  return { origin, metadataUrl, externalMetadataUrl: origin + pathOf(externalId, 'metadata') };
}

async function listen(server: Server, port: number, directory: string): Promise<void> {
  server.listen({ port, host: '127.0.0.1' });
  try {
    await once(server, 'listening');
  } catch (cause) {
    if (systemCode(cause) !== 'EADDRINUSE') throw cause;
    throw new DevError(
      `The development tenant's port ${port} is in use: is another \`npm run dev\` running? Stop it. If it is some other` +
        ` program, delete ${directory}: the next start then chooses another port and makes new keys. Earlier tokens are` +
        ' then refused, but your tasks stay.',
      { cause },
    );
  }
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  if (server.listening) await once(server, 'close');
}
