import { LRUCache } from 'lru-cache';
import type { Connection } from 'mongoose';
import type { RequestHandler } from 'restify';

import type { Clock } from '../clock.ts';
import type { StoreTime } from '../database/deadline.ts';
import { NotRegisteredError } from '../errors.ts';
import '../http/request.ts';
import { UserStore } from './store.ts';

/** Users remembered; one more than that costs a query, no more. */
const MAX_REMEMBERED = 10_000;
/** How long it is taken as known who is registered; `lastSeen` and `name` are written this often at most. */
const TRUST_MS = 60_000;
/** How long someone who was added must wait. */
const DISTRUST_MS = 5000;

interface Memory {
  isKnown: boolean;
  checkedAt: number;
}

export interface RegistrationOptions {
  connection: Connection;
  clock: Clock;
  storeTime: StoreTime;
  /** Whether someone who calls for the first time is added. */
  autoRegister: boolean;
}

/**
 * For routes that need a user, after `authenticate`: keeps the `users` collection up to date. What it has seen it
 * remembers, so that registration costs no query a request.
 *
 * @throws {NotRegisteredError} when nobody has added this user and `autoRegister` is off.
 */
export function createRegistration({
  connection,
  clock,
  storeTime,
  autoRegister,
}: RegistrationOptions): RequestHandler {
  const registry = new Registry(new UserStore(connection), clock, autoRegister);
  return async (req) => {
    const { user } = req;
    if (user === undefined) throw new Error('registration stands behind authenticate');
    const known = registry.recall(user.oid);
    if (!(known ?? (await storeTime.within(req, (signal) => registry.check(user, signal))))) {
      throw new NotRegisteredError();
    }
  };
}

type Caller = Readonly<{ oid: string; name: string | undefined }>;

class Registry {
  readonly #memory = new LRUCache<string, Memory>({ max: MAX_REMEMBERED });
  readonly #pending = new Map<string, Promise<boolean>>();
  readonly #store: UserStore;
  readonly #clock: Clock;
  readonly #autoRegister: boolean;

  constructor(store: UserStore, clock: Clock, autoRegister: boolean) {
    this.#store = store;
    this.#clock = clock;
    this.#autoRegister = autoRegister;
  }

  /** Whether this user may call, from memory; undefined when the store must be asked. */
  recall(oid: string): boolean | undefined {
    const memory = this.#memory.get(oid);
    if (memory === undefined) return undefined;
    const age = this.#clock.now() - memory.checkedAt;
    // A clock that was set back tells nothing about the age of what is remembered.
    return age >= 0 && age < (memory.isKnown ? TRUST_MS : DISTRUST_MS) ? memory.isKnown : undefined;
  }

  /** Asks the store; requests of one user that come together ask once. */
  async check(caller: Caller, signal: AbortSignal): Promise<boolean> {
    const pending = this.#pending.get(caller.oid) ?? this.#ask(caller, signal);
    this.#pending.set(caller.oid, pending);
    try {
      return await pending;
    } finally {
      this.#pending.delete(caller.oid);
    }
  }

  async #ask(caller: Caller, signal: AbortSignal): Promise<boolean> {
    const now = this.#clock.now();
    const isKnown = await this.#note(caller, now, signal);
    this.#memory.set(caller.oid, { isKnown, checkedAt: now });
    return isKnown;
  }

  async #note(caller: Caller, now: number, signal: AbortSignal): Promise<boolean> {
    const sighting = { ...caller, at: new Date(now) };
    if (!this.#autoRegister) return await this.#store.touch(sighting, signal);
    await this.#store.register(sighting, signal);
    return true;
  }
}
