import { LRUCache } from 'lru-cache';
import type { Connection } from 'mongoose';
import type { RequestHandler } from 'restify';

import type { Clock } from '../clock.ts';
import type { StoreTime } from '../database/deadline.ts';
import { NotRegisteredError, StoreUnavailableError } from '../errors.ts';
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
  /** Which life of theirs it is; learnt when they first store something new. */
  life?: string;
}

export interface RegistrationOptions {
  connection: Connection;
  clock: Clock;
  storeTime: StoreTime;
  /** Whether someone who calls for the first time is added. */
  autoRegister: boolean;
}

export type Caller = Readonly<{ oid: string; name: string | undefined }>;

/**
 * What a person's tasks ask before and after something new is stored: an instance remembers for a minute who is
 * registered, and may miss meanwhile that another one has erased them.
 */
export interface Life {
  /**
   * Which life of the person this is; they are registered for a new one where the last has ended.
   *
   * @throws {NotRegisteredError}
   */
  current(signal: AbortSignal): Promise<string>;
  /** Whether that life goes on. */
  goesOn(life: string, signal: AbortSignal): Promise<boolean>;
}

/**
 * Keeps the `users` collection up to date. What it has seen it remembers, so that registration costs no query a request,
 * and the life of a person one for each thing that is newly stored.
 */
export class Registration {
  readonly #memory = new LRUCache<string, Memory>({ max: MAX_REMEMBERED });
  readonly #pending = new Map<string, Promise<boolean>>();
  readonly #store: UserStore;
  readonly #clock: Clock;
  readonly #autoRegister: boolean;
  readonly #storeTime: StoreTime;

  constructor({ connection, clock, storeTime, autoRegister }: RegistrationOptions) {
    this.#storeTime = storeTime;
    this.#store = new UserStore(connection);
    this.#clock = clock;
    this.#autoRegister = autoRegister;
  }

  /**
   * For routes that need a user, after `authenticate`.
   *
   * @throws {NotRegisteredError} when nobody has added this user and `autoRegister` is off.
   */
  readonly requireUser: RequestHandler = async (req) => {
    const { user } = req;
    if (user === undefined) throw new Error('registration stands behind authenticate');
    const isKnown =
      this.#recall(user.oid)?.isKnown ?? (await this.#storeTime.within(req, (signal) => this.#check(user, signal)));
    if (!isKnown) throw new NotRegisteredError();
  };

  lifeOf(caller: Caller): Life {
    return {
      current: async (signal) => this.#recall(caller.oid)?.life ?? (await this.#learnLife(caller, signal)),
      goesOn: async (life, signal) => {
        const goesOn = (await this.#store.lifeOf(caller.oid, signal)) === life;
        if (!goesOn) this.forget(caller.oid);
        return goesOn;
      },
    };
  }

  /**
   * Registers someone who was erased elsewhere since they were let in here.
   *
   * @throws {NotRegisteredError}
   */
  async renew(caller: Caller, signal: AbortSignal): Promise<void> {
    this.forget(caller.oid);
    if (!(await this.#check(caller, signal))) throw new NotRegisteredError();
  }

  /** What is known of this person is no longer true. */
  forget(oid: string): void {
    this.#memory.delete(oid);
    this.#pending.delete(oid);
  }

  /** What is known from memory; undefined when the store must be asked. */
  #recall(oid: string): Memory | undefined {
    const memory = this.#memory.get(oid);
    if (memory === undefined) return undefined;
    const age = this.#clock.now() - memory.checkedAt;
    // A clock that was set back tells nothing about the age of what is remembered.
    return age >= 0 && age < (memory.isKnown ? TRUST_MS : DISTRUST_MS) ? memory : undefined;
  }

  async #learnLife(caller: Caller, signal: AbortSignal): Promise<string> {
    const life = (await this.#store.lifeOf(caller.oid, signal)) ?? (await this.#beginLife(caller, signal));
    const memory = this.#memory.get(caller.oid);
    if (memory !== undefined) memory.life = life;
    return life;
  }

  async #beginLife(caller: Caller, signal: AbortSignal): Promise<string> {
    await this.renew(caller, signal);
    const life = await this.#store.lifeOf(caller.oid, signal);
    if (life === undefined) throw new StoreUnavailableError({ cause: 'the user is being erased again' });
    return life;
  }

  /** Asks the store; requests of one user that come together ask once. */
  async #check(caller: Caller, signal: AbortSignal): Promise<boolean> {
    const { oid } = caller;
    const checkedAt = this.#clock.now();
    const pending = this.#pending.get(oid) ?? this.#note(caller, checkedAt, signal);
    this.#pending.set(oid, pending);
    try {
      const isKnown = await pending;
      // Not when it was forgotten meanwhile.
      if (this.#pending.get(oid) === pending) this.#memory.set(oid, { isKnown, checkedAt });
      return isKnown;
    } finally {
      if (this.#pending.get(oid) === pending) this.#pending.delete(oid);
    }
  }

  async #note(caller: Caller, now: number, signal: AbortSignal): Promise<boolean> {
    const sighting = { oid: caller.oid, name: caller.name, at: new Date(now) };
    if (!this.#autoRegister) return await this.#store.touch(sighting, signal);
    await this.#store.register(sighting, signal);
    return true;
  }
}
