import type { Clock } from '../clock.ts';
import type { KeySet, TenantKey } from './keySet.ts';

const HOUR_MS = 60 * 60 * 1000;
/** How long keys are good without a successful fetch. */
const LAST_KNOWN_GOOD_MS = 24 * HOUR_MS;

/** What one metadata URL published when it last answered well, for as long as that is worth anything. */
export class KnownKeys {
  readonly #clock: Clock;
  #known: KeySet | undefined;
  #knownAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined before the first answer, and when the last good one is too old. */
  current(): KeySet | undefined {
    const now = this.#clock.now();
    this.noteTime(now);
    return now - this.#knownAt < LAST_KNOWN_GOOD_MS ? this.#known : undefined;
  }

  /** For all the time, not only when keys are needed: a clock that is set back must not make them good for longer. */
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

  /** A key that stays the same stays the same object, so that the tokens verified with it stay remembered. */
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
