import { LRUCache } from 'lru-cache';
import type { Connection } from 'mongoose';
import type { Clock } from '../clock.ts';
import { type StoreTime, untilOver } from '../database/deadline.ts';
import { NotRegisteredError, StoreUnavailableError } from '../errors.ts';
import type { Caller, Step } from '../http/request.ts';
import { askForLife, goesOn, Lease } from './life.ts';
import { UserStore } from './store.ts';

/** Users remembered; one more only costs a query. */
const MAX_REMEMBERED = 10_000;
/** How long a registration is remembered; `lastSeen` and `name` are written at most this often. */
const TRUST_MS = 60_000;
/** How long someone who was just added may have to wait. */
const DISTRUST_MS = 5000;

interface Memory {
  isKnown: boolean;
  checkedAt: number;
  /** That they existed at the last look. */
  lease?: Lease;
}

export interface RegistrationOptions {
  connection: Connection;
  clock: Clock;
  storeTime: StoreTime;
  /** Whether someone who calls for the first time is added. */
  autoRegister: boolean;
}

/**
 * Keeps the `users` collection up to date. It remembers what it has seen, so that registration does not cost a query per
 * request, and storing something new costs at most one.
 */
export class Registration {
  readonly #memory = new LRUCache<string, Memory>({ max: MAX_REMEMBERED });
  readonly #pending = new Map<string, Promise<Memory>>();
  readonly #options: RegistrationOptions;
  readonly #store: UserStore;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#store = new UserStore(options.connection);
  }

  /**
   * For routes that need a user, after `authenticate`.
   *
   * @throws {NotRegisteredError} when nobody has added this user and `autoRegister` is off.
   */
  readonly requireUser: Step = (req) => {
    const { user } = req;
    if (user === undefined) throw new Error('registration stands behind authenticate');
    const known = this.#recall(user.oid);
    if (known === undefined) {
      return this.#options.storeTime.within(req, (signal) => this.#check(user, signal)).then(assertKnown);
    }
    assertKnown(known.isKnown);
    return undefined;
  };

  /** What is asked before and after something is stored for them (see `Life` of `tasks/owned.ts`). */
  lifeOf(caller: Caller) {
    return {
      begin: async (signal: AbortSignal) => {
        const known = this.#recall(caller.oid)?.lease;
        const lease = known?.mayBegin ? known : await this.#askForLife(caller, signal);
        return async (later: AbortSignal) => {
          const stays = await goesOn(lease, this.#options.connection, caller.oid, later);
          if (!stays) this.forget(caller.oid);
          return stays;
        };
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

  /** What is known about this person is no longer true. */
  forget(oid: string): void {
    this.#memory.delete(oid);
    this.#pending.delete(oid);
  }

  /** What is known from memory; undefined when the store must be asked. */
  #recall(oid: string): Memory | undefined {
    const memory = this.#memory.get(oid);
    if (memory === undefined) return undefined;
    const age = this.#options.clock.now() - memory.checkedAt;
    // After a clock was set back, it says nothing about the age of what is remembered.
    return age >= 0 && age < (memory.isKnown ? TRUST_MS : DISTRUST_MS) ? memory : undefined;
  }

  async #askForLife(caller: Caller, signal: AbortSignal): Promise<Lease> {
    let lease = await askForLife(this.#options.connection, caller.oid, signal);
    if (lease === undefined) {
      await this.renew(caller, signal);
      lease = await askForLife(this.#options.connection, caller.oid, signal);
    }
    if (lease === undefined) throw new StoreUnavailableError({ cause: 'the user is being erased again' });
    const memory = this.#memory.get(caller.oid);
    if (memory !== undefined) memory.lease = lease;
    return lease;
  }

  /** Asks the store, once for all simultaneous requests of a user. */
  async #check(caller: Caller, signal: AbortSignal): Promise<boolean> {
    const { oid } = caller;
    const pending = this.#pending.get(oid) ?? this.#note(caller, signal);
    this.#pending.set(oid, pending);
    try {
      // An erasure that has to be finished first may take longer than the request may, and then goes on.
      const memory = await Promise.race([pending, untilOver(signal)]);
      // Not if it was forgotten meanwhile.
      if (this.#pending.get(oid) === pending) this.#memory.set(oid, memory);
      return memory.isKnown;
    } finally {
      if (this.#pending.get(oid) === pending) this.#pending.delete(oid);
    }
  }

  async #note({ oid, name }: Caller, signal: AbortSignal): Promise<Memory> {
    const checkedAt = this.#options.clock.now();
    const lease = new Lease(performance.now());
    const sighting = { oid, name, at: new Date(checkedAt) };
    const isKnown = await this.#store.note(sighting, this.#options.autoRegister, signal);
    return isKnown ? { isKnown, checkedAt, lease } : { isKnown, checkedAt };
  }
}

function assertKnown(isKnown: boolean): void {
  if (!isKnown) throw new NotRegisteredError();
}
