/** What the development tenant keeps in `data/tenant`, so that tokens stay good across restarts. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { createKept, readKept, unreadable } from './files.ts';
import { chooseLastingPort } from './port.ts';

/** A private RSA key for RS256, as a JSON Web Key. */
export type SigningKey = JWK & { kid: string; alg: string };

export interface TenantState {
  /** TCP port on loopback. It is part of the issuer, hence of every token. */
  readonly port: number;
  readonly signingKey: SigningKey;
  /** PEM, PKCS #8. */
  readonly tlsKey: string;
}

const FORMAT = 'tasks-api development tenant, version 1';

/**
 * Reads the tenant's state, making it on first use. Two processes that do so at once end up with the same state.
 *
 * @throws {DevError} when the folder cannot be used, or holds something that this version did not write whole.
 */
export async function loadTenantState(directory: string): Promise<TenantState> {
  const path = join(directory, 'tenant.json');
  if (readKept(path) === undefined) createKept(path, `${JSON.stringify({ format: FORMAT, ...(await makeState()) })}\n`);
  return parseState(path, readKept(path) ?? '');
}

async function makeState(): Promise<TenantState> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = privateKey.export({ format: 'jwk' }) as JWK;
  const tls = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    port: await chooseLastingPort(),
    signingKey: { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'RS256', use: 'sig' },
    tlsKey: tls.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function parseState(path: string, text: string): TenantState {
  try {
    const kept = JSON.parse(text) as (Partial<TenantState> & { format?: unknown }) | null;
    if (kept?.format !== FORMAT) throw new Error('it was written by something else, or by another version');
    if (!isPort(kept.port)) throw new Error('it names no port');
    if (!isSigningKey(kept.signingKey)) throw new Error('it holds no RSA signing key');
    if (!isTlsKey(kept.tlsKey)) throw new Error('it holds no key for TLS');
    return { port: kept.port, signingKey: kept.signingKey, tlsKey: kept.tlsKey };
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? 'it is torn, or not JSON' : (cause as Error).message;
    throw unreadable(path, reason, cause);
  }
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;
}

function isSigningKey(value: unknown): value is SigningKey {
  try {
    const jwk = value as SigningKey;
    const key = createPrivateKey({ key: jwk, format: 'jwk' });
    return key.asymmetricKeyType === 'rsa' && typeof jwk.kid === 'string' && jwk.alg === 'RS256';
  } catch {
    return false;
  }
}

function isTlsKey(value: unknown): value is string {
  try {
    return typeof value === 'string' && createPrivateKey(value).asymmetricKeyType === 'ec';
  } catch {
    return false;
  }
}
