import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { visible } from '../show.ts';

/** One key that the tenant signs with. */
export interface TenantKey {
  readonly kid: string;
  readonly publicKey: KeyObject;
  /** The key itself, to see whether a later set publishes the same one under this id. */
  readonly material: string;
}

/** What the tenant publishes: its name and its keys. */
export interface KeySet {
  readonly issuer: string;
  readonly keys: ReadonlyMap<string, TenantKey>;
}

/** The tenant's answer cannot be used. The message says what is wrong with it. */
export class UnusableAnswerError extends Error {}

/** The parts of OpenID metadata that are needed here (OpenID Connect Discovery 1.0, section 3). */
export interface Metadata {
  readonly issuer: string;
  readonly jwksUri: string;
}

/** @throws {UnusableAnswerError} */
export function readMetadata(document: unknown): Metadata {
  const { issuer, jwks_uri: jwksUri } = asObject(document, 'the metadata');
  if (typeof issuer !== 'string' || issuer === '') throw new UnusableAnswerError('the metadata names no issuer');
  // As with `common` and `organizations`: it stands for any tenant, and no token has it.
  if (/[{}]/.test(issuer)) {
    throw new UnusableAnswerError(
      `the metadata is for any tenant (its issuer is a template, ${visible(issuer)}): use your own tenant's`,
    );
  }
  if (typeof jwksUri !== 'string') throw new UnusableAnswerError('the metadata has no jwks_uri');
  const url = URL.parse(jwksUri);
  if (url?.protocol !== 'https:') throw new UnusableAnswerError('the jwks_uri of the metadata is not an https URL');
  return { issuer, jwksUri: url.href };
}

/**
 * Keys that cannot verify RS256 are skipped; if none is left, that is an error.
 *
 * @throws {UnusableAnswerError}
 */
export function readKeys(document: unknown): ReadonlyMap<string, TenantKey> {
  const { keys: entries } = asObject(document, 'the key set');
  if (!Array.isArray(entries)) throw new UnusableAnswerError('the key set has no list of keys');
  const keys = new Map<string, TenantKey>();
  for (const entry of entries as unknown[]) {
    const key = readKey(entry);
    if (key !== undefined && !keys.has(key.kid)) keys.set(key.kid, key);
  }
  if (keys.size === 0) throw new UnusableAnswerError('the key set has no RSA signing key with a kid');
  return keys;
}

// RFC 7518, section 3.3: 2048 bits or larger. The upper bound keeps verification fast.
const MIN_BITS = 2048;
const MAX_BITS = 8192;

function readKey(entry: unknown): TenantKey | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { kid, kty, use, alg, n, e } = entry as Record<string, unknown>;
  if (typeof kid !== 'string' || kid === '' || kty !== 'RSA') return undefined;
  if ((use !== undefined && use !== 'sig') || (alg !== undefined && alg !== 'RS256')) return undefined;
  if (typeof n !== 'string' || typeof e !== 'string') return undefined;
  const publicKey = importKey({ kty, n, e });
  const bits = publicKey?.asymmetricKeyDetails?.modulusLength ?? 0;
  if (publicKey === undefined || bits < MIN_BITS || bits > MAX_BITS) return undefined;
  return { kid, publicKey, material: `${n}.${e}` };
}

function importKey(jwk: JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}

function asObject(document: unknown, what: string): Record<string, unknown> {
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
    return document as Record<string, unknown>;
  }
  throw new UnusableAnswerError(`${what} is not a JSON object`);
}

const HOUR_MS = 60 * 60 * 1000;
/** How long keys are used without a successful fetch. */
const LAST_KNOWN_GOOD_MS = 24 * HOUR_MS;

/** What one metadata URL last published, until that is too old. */
export class KnownKeys {
  readonly #clock: Clock;
  #known: KeySet | undefined;
  #knownAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined before the first answer, or if the last good one is too old. */
  current(): KeySet | undefined {
    const now = this.#clock.now();
    this.noteTime(now);
    return now - this.#knownAt < LAST_KNOWN_GOOD_MS ? this.#known : undefined;
  }

  /** Called all the time, not only when keys are needed: setting the clock back must not extend their use. */
  noteTime(now: number): void {
    this.#knownAt = Math.min(this.#knownAt, now);
  }

  has(kid: string): boolean {
    return this.current()?.keys.has(kid) === true;
  }

  /** Whether this very key is still published. */
  holds(key: TenantKey): boolean {
    return this.current()?.keys.get(key.kid) === key;
  }

  /** An unchanged key stays the same object, so that the tokens verified with it stay remembered. */
  replace({ issuer, keys }: KeySet): void {
    const same = [...keys.values()].map((key) => this.#same(key) ?? key);
    this.#known = { issuer, keys: new Map(same.map((key) => [key.kid, key])) };
    this.#knownAt = this.#clock.now();
  }

  #same({ kid, material }: TenantKey): TenantKey | undefined {
    const key = this.#known?.keys.get(kid);
    return key?.material === material ? key : undefined;
  }
}
