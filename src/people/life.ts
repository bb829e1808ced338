/**
 * A person lives here from when they are registered until they are erased, or moved to another `oid`; their document in
 * `users` names that life by its `_id`.
 *
 * Code that stores something new for them first asks whether they live, and may rely on the answer for a moment. Code that
 * ends a life waits until nobody relies on it any more, and only then looks for what is stored. So it finds what was stored in
 * between, even if that process was killed right after. Only if storing took longer must it ask again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mongoose';
import { withSignal } from '../database/deadline.ts';
import { anyOf, oncePer, Together } from '../database/together.ts';
import { ALIVE, userModel } from './model.ts';

/** How long after the question storing may begin. */
const TRUST_MS = 500;
/** How long storing may then take. */
const GRACE_MS = 1000;

/** That someone was alive a moment ago. */
export class Lease {
  /** Which life of theirs it was; undefined if not asked. */
  readonly life: string | undefined;
  readonly #askedAt: number;

  /** @param askedAt the time on `performance.now()`, which no one sets, from before the question was sent. */
  constructor(askedAt: number, life?: string) {
    this.life = life;
    this.#askedAt = askedAt;
  }

  get mayBegin(): boolean {
    return performance.now() - this.#askedAt < TRUST_MS;
  }

  /** Whether an end of this life is sure to find what has been stored by now. */
  get holds(): boolean {
    return performance.now() - this.#askedAt < TRUST_MS + GRACE_MS;
  }
}

/** Undefined if they are unknown or being erased. */
export async function askForLife(connection: Connection, oid: string, signal: AbortSignal): Promise<Lease | undefined> {
  const askedAt = performance.now();
  const life = await asking(connection).ask(oid, signal);
  return life === undefined ? undefined : new Lease(askedAt, life);
}

const asking = oncePer((connection: Connection) => {
  const users = userModel(connection);
  return new Together<string, string | undefined>(async (oids, signal) => {
    const who = { oid: anyOf(oids), ...ALIVE };
    const found = await users.find(who, { oid: 1 }).setOptions(withSignal(signal)).lean();
    const lives = new Map(found.map(({ oid, _id }) => [oid, _id.toHexString()]));
    return oids.map((oid) => lives.get(oid));
  });
});

/** Whether what was stored on this lease may stay. */
export async function goesOn(lease: Lease, connection: Connection, oid: string, signal: AbortSignal): Promise<boolean> {
  if (lease.holds) return true;
  return lease.life !== undefined && (await askForLife(connection, oid, signal))?.life === lease.life;
}

/** Resolves when nobody relies any longer on a life that has just ended. */
export async function untilLeasesEnd(): Promise<void> {
  await sleep(TRUST_MS + GRACE_MS);
}
