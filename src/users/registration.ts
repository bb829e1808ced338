import { LRUCache } from 'lru-cache';
import type { Connection } from 'mongoose';
import type { RequestHandler } from 'restify';

import type { Clock } from '../clock.ts';
import { withinDeadline } from '../database/deadline.ts';
import { NotRegisteredError } from '../errors.ts';
import '../http/request.ts';
import { UserStore } from './store.ts';

/** Users remembered; one more than that costs a query, no more. */
const MAX_REMEMBERED = 10_000;
/** `lastSeen` and `name` are written this often at most. */
const WRITE_EVERY_MS = 5 * 60_000;
/** With AUTO_REGISTER=false: how long someone who was erased may still call, and someone who was added must wait. */
const TRUST_MS = 60_000;
const DISTRUST_MS = 5000;

interface Memory {
  isKnown: boolean;
  checkedAt: number;
  writtenAt: number;
}

export interface RegistrationOptions {
  connection: Connection;
  clock: Clock;
  /** Whether someone who calls for the first time is added. */
  autoRegister: boolean;
}

/**
 * For routes that need a user, after `authenticate`: keeps the `users` collection up to date. What it has seen it
 * remembers, so that registration costs no query a request.
 *
 * @throws {NotRegisteredError} when nobody has added this user and `autoRegister` is off.
 */
export function createRegistration({ connection, clock, autoRegister }: RegistrationOptions): RequestHandler {
  const registry = new Registry(new UserStore(connection), clock, autoRegister);
  return async (req) => {
    const { user } = req;
    if (user === undefined) throw new Error('registration stands behind authenticate');
    const known = registry.recall(user.oid);
    if (!(known ?? (await withinDeadline(req, (signal) => registry.check(user, signal))))) {
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
    const now = this.#clock.now();
    if (!memory.isKnown) return now - memory.checkedAt < DISTRUST_MS ? false : undefined;
    if (now - memory.writtenAt >= WRITE_EVERY_MS) return undefined;
    return this.#autoRegister || now - memory.checkedAt < TRUST_MS ? true : undefined;
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
    const before = this.#memory.get(caller.oid);
    const isWriteDue = before === undefined || !before.isKnown || now - before.writtenAt >= WRITE_EVERY_MS;
    const isKnown = await (isWriteDue ? this.#note(caller, now, signal) : this.#store.has(caller.oid, signal));
    const writtenAt = isWriteDue ? now : before.writtenAt;
    this.#memory.set(caller.oid, { isKnown, checkedAt: now, writtenAt });
    return isKnown;
  }

  async #note(caller: Caller, now: number, signal: AbortSignal): Promise<boolean> {
    const sighting = { ...caller, at: new Date(now) };
    if (!this.#autoRegister) return await this.#store.touch(sighting, signal);
    await this.#store.register(sighting, signal);
    return true;
  }
}
