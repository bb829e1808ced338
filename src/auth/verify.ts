import { hash, verify } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { Config, Policy } from '../config.ts';
import type { Caller } from '../http/request.ts';
import { issuerChecks, keyCheck, laterChecks, refusalOf, signatureCheck, tokenChecks } from './checks.ts';
import { ownerOf } from './claims.ts';
import type { Expectations } from './commonChecks.ts';
import { type Judge, judgeOf } from './judge.ts';
import type { TenantKeys } from './keys.ts';
import type { KeySet, TenantKey } from './keySet.ts';
import { type Reason, TokenRefusedError } from './refusal.ts';
import { type Claims, readToken, type Token } from './token.ts';

/** A valid token's caller and claims. The same object for every request with that token. */
export interface Verified {
  readonly caller: Caller;
  readonly claims: Claims;
}

/** A token whose key and signature are still to be verified. */
export interface Candidate {
  readonly text: string;
  readonly token: Token;
  readonly judge: Judge;
  readonly keys: TenantKeys;
}

/** A token that was valid, and the key that signed it. */
interface Remembered extends Omit<Candidate, 'text'> {
  readonly key: TenantKey;
  readonly verified: Verified;
}

/** A token that was invalid, and stays so while its key is published and the clock is not set back. */
interface Refused {
  readonly refusal: TokenRefusedError;
  readonly at: number;
  /** Whether the key that did not sign it is still published. */
  readonly isKeyHeld: () => boolean;
}

/**
 * Reasons that no change of keys, metadata or time removes, and that take longer to find than to remember. A client that
 * does not renew its token sends it again and again.
 */
const LASTING: readonly Reason[] = ['expired', 'signature'];

/** Milliseconds after which it is examined again, since the log says how long ago it expired. */
const REFUSED_MS = 60_000;

const MAX_TOKENS = 10_000;
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** Decides whether a token is valid. */
export class TokenVerifier {
  readonly #config: Config;
  readonly #clock: Clock;
  readonly #keysOf: (policy: Policy) => TenantKeys;
  /**
   * Holds only valid tokens, so nobody without one can push others out. By digest: whoever reads this memory finds no
   * token to use.
   */
  readonly #remembered = new LRUCache<string, Remembered>({ max: MAX_TOKENS, maxSize: MAX_CHARACTERS });

  /** Separate, since anybody can fill it. */
  readonly #refused = new LRUCache<string, Refused>({ max: MAX_TOKENS, maxSize: MAX_CHARACTERS });

  constructor(config: Config, clock: Clock, keysOf: (policy: Policy) => TenantKeys) {
    this.#config = config;
    this.#clock = clock;
    this.#keysOf = keysOf;
  }

  /** Whether that token was valid before. It is forgotten as soon as it is found to be no longer valid. */
  remembers(text: string): boolean {
    return this.#remembered.has(digestOf(text));
  }

  /**
   * From memory, for the cost of a digest. What time and the tenant can change is checked each time.
   *
   * @returns undefined if the token is not remembered, or its key is no longer published.
   * @throws {TokenRefusedError} when it is no longer valid, or was found to be invalid before.
   */
  recall(text: string): Verified | undefined {
    const digest = digestOf(text);
    const remembered = this.#remembered.get(digest);
    if (remembered === undefined) {
      const refused = this.#refused.get(digest);
      const age = this.#clock.now() - (refused?.at ?? 0);
      if (refused?.isKeyHeld() && age >= 0 && age < REFUSED_MS) throw refused.refusal;
      return undefined;
    }
    const { token, judge, keys, key, verified } = remembered;
    const isHeld = keys.holds(key);
    const refusal = refusalOf(laterChecks[judge.tenant.kind], token, this.#expectations(judge, keys.current()));
    if (isHeld && refusal === undefined) return verified;
    this.#remembered.delete(digest);
    if (isHeld && refusal !== undefined) throw refusal;
    return undefined;
  }

  /**
   * Everything that the token alone shows, in order of cost.
   *
   * @throws {TokenRefusedError} when it is invalid, whoever signed it.
   */
  inspect(text: string): Candidate {
    const token = readToken(text);
    const judge = judgeOf(token.claims, this.#config.tenants, (policy) => this.#keysOf(policy).current());
    const { tenant, policy } = judge;
    const keys = policy && this.#keysOf(policy);
    const published = keys?.current();
    // If the token is refused anyway, the log also reports a wrong issuer.
    const more = published === undefined ? [] : issuerChecks[tenant.kind];
    const refusal = refusalOf(tokenChecks[tenant.kind], token, this.#expectations(judge, published), more);
    if (refusal !== undefined) throw this.#noted(text, refusal);
    if (keys === undefined) throw new Error('a token of no accepted policy passed the check of its policy');
    return { text, token, judge, keys };
  }

  /**
   * The rest: key and signature. Remembers a valid token.
   *
   * @throws {TokenRefusedError} when it is invalid.
   * @throws {TenantUnavailableError} when the keys cannot be fetched.
   */
  async prove({ text, token, judge, keys }: Candidate): Promise<Verified> {
    const { keySet, key } = await keys.find(String(token.header['kid']));
    const refusal = refusalOf(issuerChecks[judge.tenant.kind], token, this.#expectations(judge, keySet));
    if (refusal !== undefined) throw refusal;
    if (key === undefined) throw unknownKey(token, keySet);
    if (!isSignedBy(text, key)) {
      throw this.#noted(text, new TokenRefusedError(signatureCheck, () => [signatureCheck]), () => keys.holds(key));
    }
    const verified = { caller: callerOf(token.claims, judge), claims: token.claims };
    this.#remembered.set(digestOf(text), { token, judge, keys, key, verified }, { size: text.length });
    return verified;
  }

  /** Remembers a refusal that lasts, and returns it. */
  #noted(text: string, refusal: TokenRefusedError, isKeyHeld = () => true): TokenRefusedError {
    if (!LASTING.includes(refusal.reason)) return refusal;
    // A copy, since substrings keep the whole text in memory. The claims may take 20 times as much memory as the token.
    const findings = structuredClone(refusal.findings);
    const copy = new TokenRefusedError(findings[0], () => findings);
    this.#refused.set(digestOf(text), { refusal: copy, at: this.#clock.now(), isKeyHeld }, { size: text.length });
    return refusal;
  }

  #expectations({ tenant }: Judge, keySet: KeySet | undefined): Expectations {
    const { clockSkewSeconds } = this.#config;
    return { tenant, issuer: keySet?.issuer, now: this.#clock.now() / 1000, clockSkewSeconds };
  }
}

function digestOf(text: string): string {
  return hash('sha256', text, 'base64');
}

/** RFC 7515, section 5.2, for RS256 and a token that `readToken` accepts. A third of the cost of WebCrypto. */
export function isSignedBy(text: string, { publicKey }: TenantKey): boolean {
  const end = text.lastIndexOf('.');
  const signature = Buffer.from(text.slice(end + 1), 'base64url');
  return verify('RSA-SHA256', Buffer.from(text.slice(0, end)), publicKey, signature);
}

/** @param claims verified, except for `name`, which may be anything */
function callerOf(claims: Claims, { tenant }: Judge): Caller {
  const { name } = claims;
  return Object.freeze({
    oid: ownerOf(claims, tenant),
    name: typeof name === 'string' ? name.toWellFormed() : undefined,
  });
}

function unknownKey(token: Token, { keys }: KeySet): TokenRefusedError {
  return new TokenRefusedError(keyCheck, () => [
    { ...keyCheck, expected: keyCheck.expected([...keys.keys()]), received: keyCheck.received(token) },
  ]);
}
