import { hkdfSync, randomUUID } from 'node:crypto';
import { EncryptJWT, errors, jwtDecrypt } from 'jose';
import type { Clock } from '../../clock.ts';
import type { SigningKey } from './state.ts';

/** Who signed in, and when (in seconds). */
export interface Session {
  readonly name: string;
  readonly authTime: number;
}

/** What a refresh token stands for. */
export interface Grant extends Session {
  /** The authority's path. */
  readonly authority: string;
  /** As it was asked for. */
  readonly scope: string;
}

/** What a code stands for. */
export interface CodeGrant extends Grant {
  readonly redirectUri: string;
  /** The PKCE challenge, S256. */
  readonly challenge: string;
  readonly nonce?: string;
}

interface Contents {
  code: CodeGrant;
  refresh_token: Grant;
  session: Session;
}

export const LIFETIMES_SECONDS: Readonly<Record<keyof Contents, number>> = {
  code: 5 * 60,
  refresh_token: 14 * 24 * 3600,
  session: 24 * 3600,
};

const MAX_REMEMBERED = 10_000;

/**
 * Codes, refresh tokens and sessions, sealed so that they survive a restart without being stored. Used ones are remembered
 * until the process ends; after that a refresh token may be used once more.
 */
export class Tickets {
  readonly #secret: Uint8Array;
  readonly #clock: Clock;
  readonly #used = new Set<string>();

  constructor(key: SigningKey, clock: Clock) {
    this.#secret = new Uint8Array(hkdfSync('sha256', key.d ?? '', '', 'tickets of the development tenant', 32));
    this.#clock = clock;
  }

  issue<Kind extends keyof Contents>(kind: Kind, content: Contents[Kind]): Promise<string> {
    return new EncryptJWT({ ...content })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setSubject(kind)
      .setJti(randomUUID())
      .setExpirationTime(Math.floor(this.#clock.now() / 1000) + LIFETIMES_SECONDS[kind])
      .encrypt(this.#secret);
  }

  /** The content of a ticket if it is ours, of that kind and not expired. */
  async read<Kind extends keyof Contents>(kind: Kind, ticket: string): Promise<Contents[Kind] | undefined> {
    return (await this.#open(kind, ticket))?.content;
  }

  /** The same, but only once: a used ticket is treated like an invented one (RFC 6749, section 4.1.2). */
  async redeem<Kind extends 'code' | 'refresh_token'>(kind: Kind, ticket: string): Promise<Contents[Kind] | undefined> {
    const opened = await this.#open(kind, ticket);
    if (opened === undefined || this.#used.has(opened.id)) return undefined;
    this.#remember(opened.id);
    return opened.content;
  }

  async #open<Kind extends keyof Contents>(kind: Kind, ticket: string) {
    try {
      const { payload } = await jwtDecrypt(ticket, this.#secret, {
        currentDate: new Date(this.#clock.now()),
        requiredClaims: ['exp', 'jti'],
        subject: kind,
      });
      return { id: payload.jti ?? '', content: payload as unknown as Contents[Kind] };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  #remember(id: string): void {
    const [oldest] = this.#used;
    if (this.#used.size >= MAX_REMEMBERED && oldest !== undefined) this.#used.delete(oldest);
    this.#used.add(id);
  }
}
