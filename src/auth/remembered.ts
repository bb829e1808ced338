import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { TenantKey } from './keySet.ts';
import type { Token } from './token.ts';

/** A token whose signature was verified once, and the key that it was verified with. */
export interface RememberedToken {
  token: Token;
  key: TenantKey;
}

const MAX_TOKENS = 10_000;
const MAX_CHARACTERS = 16 * 1024 * 1024;

/**
 * Tokens that were good. Only good ones come in, so nobody without one can push others out. Kept under a digest:
 * who reads this memory finds no token to use.
 */
export class RememberedTokens {
  readonly #tokens = new LRUCache<string, RememberedToken>({ max: MAX_TOKENS, maxSize: MAX_CHARACTERS });

  get size(): number {
    return this.#tokens.size;
  }

  has(digest: string): boolean {
    return this.#tokens.has(digest);
  }

  get(digest: string): RememberedToken | undefined {
    return this.#tokens.get(digest);
  }

  remember(digest: string, remembered: RememberedToken, length: number): void {
    this.#tokens.set(digest, remembered, { size: length });
  }

  forget(digest: string): void {
    this.#tokens.delete(digest);
  }
}

export function digestOf(text: string): string {
  return hash('sha256', text, 'base64');
}
