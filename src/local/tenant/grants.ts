import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { User } from './identity.ts';

/** What a user agreed to on the sign-in page, and what a client must show to get a token for it. */
export interface Grant {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly policy: string;
  /** The PKCE challenge, S256. */
  readonly challenge: string;
  readonly user: User;
  /** As requested, with `openid` and the like. */
  readonly scope: string;
}

const CODE_LIFETIME_MS = 5 * 60 * 1000;
const REFRESH_LIFETIME_MS = 24 * 60 * 60 * 1000;
const MAX_GRANTS = 1000;

/** Codes and refresh tokens that were really issued. In memory: after a restart a page signs in again. */
export class Grants {
  readonly #clock: Clock;
  readonly #kept = new Map<string, { grant: Grant; expiresAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  rememberCode(code: string, grant: Grant): void {
    this.#remember(code, grant, CODE_LIFETIME_MS);
  }

  /** A fresh refresh token for the grant. */
  issueRefreshToken(grant: Grant): string {
    const token = randomBytes(32).toString('base64url');
    this.#remember(token, grant, REFRESH_LIFETIME_MS);
    return token;
  }

  /** Hands out what was granted, once: a second use of a code is as good as an invented one (RFC 6749, section 4.1.2). */
  take(secret: string): Grant | undefined {
    const kept = this.#kept.get(secret);
    this.#kept.delete(secret);
    return kept !== undefined && kept.expiresAt > this.#clock.now() ? kept.grant : undefined;
  }

  #remember(secret: string, grant: Grant, lifetimeMs: number): void {
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size >= MAX_GRANTS && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(secret, { grant, expiresAt: this.#clock.now() + lifetimeMs });
  }
}

/** RFC 7636, section 4.6, for S256. */
export function matchesChallenge(verifier: string, challenge: string): boolean {
  return (
    /^[A-Za-z0-9\-._~]{43,128}$/.test(verifier) &&
    createHash('sha256').update(verifier).digest('base64url') === challenge
  );
}
