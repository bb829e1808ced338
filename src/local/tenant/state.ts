/** What the development tenant keeps in `data/tenant`, so that tokens stay valid across restarts. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { createKept, readKept, unreadable } from '../files.ts';
import { chooseLastingPort } from '../port.ts';

/** A private RSA key for RS256, as a JSON Web Key. */
export type SigningKey = JWK & { kid: string; alg: 'RS256' };

export interface TenantState {
  /** TCP port on loopback. It is part of the issuer, hence of every token. */
  readonly port: number;
  /** Of the B2C tenant. */
  readonly signingKey: SigningKey;
  /** Of the External ID tenant. In its own file, so that older folders can get one and stay valid. */
  readonly externalKey: SigningKey;
  /** PEM, PKCS #8. */
  readonly tlsKey: string;
}

const FORMAT = 'tasks-api development tenant, version 1';
const EXTERNAL_FORMAT = 'tasks-api External ID tenant, version 1';

/**
 * Reads the tenant's state, creating it on first use. Two processes that do so at once end up with the same state.
 *
 * @throws {DevError} when the folder cannot be used, or its contents are damaged or from another version.
 */
export async function loadTenantState(directory: string): Promise<TenantState> {
  const path = join(directory, 'tenant.json');
  const kept = parseState(path, await keep(path, FORMAT, makeState));
  const externalPath = join(directory, 'external.json');
  const externalKey = parseExternal(externalPath, await keep(externalPath, EXTERNAL_FORMAT, makeExternal));
  return { ...kept, externalKey };
}

/** The file's text, created on first use. */
async function keep(path: string, format: string, make: () => Promise<object>): Promise<string> {
  if (readKept(path) === undefined) createKept(path, `${JSON.stringify({ format, ...(await make()) })}\n`);
  return readKept(path) ?? '';
}

async function makeState(): Promise<Omit<TenantState, 'externalKey'>> {
  const tls = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    port: await chooseLastingPort(),
    signingKey: await makeSigningKey(),
    tlsKey: tls.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

async function makeExternal(): Promise<Pick<TenantState, 'externalKey'>> {
  return { externalKey: await makeSigningKey() };
}

async function makeSigningKey(): Promise<SigningKey> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = privateKey.export({ format: 'jwk' }) as JWK;
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'RS256', use: 'sig' };
}

function parseState(path: string, text: string): Omit<TenantState, 'externalKey'> {
  return parseKept<TenantState, Omit<TenantState, 'externalKey'>>(
    path,
    text,
    FORMAT,
    ({ port, signingKey, tlsKey }) => {
      if (!isPort(port)) throw new Error('it has no port');
      if (!isSigningKey(signingKey)) throw new Error('it has no RSA signing key');
      if (!isTlsKey(tlsKey)) throw new Error('it has no TLS key');
      return { port, signingKey, tlsKey };
    },
  );
}

function parseExternal(path: string, text: string): SigningKey {
  return parseKept<TenantState, SigningKey>(path, text, EXTERNAL_FORMAT, ({ externalKey }) => {
    if (!isSigningKey(externalKey)) throw new Error('it has no RSA signing key');
    return externalKey;
  });
}

/** @throws {DevError} when the text is not what this version wrote, or `read` finds something missing. */
function parseKept<Kept, Read>(path: string, text: string, format: string, read: (kept: Partial<Kept>) => Read): Read {
  try {
    const kept = JSON.parse(text) as (Partial<Kept> & { format?: unknown }) | null;
    if (kept?.format !== format) throw new Error('it was written by something else, or by another version');
    return read(kept);
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? 'it is damaged, or not JSON' : (cause as Error).message;
    throw unreadable(path, reason, cause);
  }
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;
}

function isSigningKey(value: unknown): value is SigningKey {
  try {
    const jwk = value as JWK;
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
