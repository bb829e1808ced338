import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than the slowest machine takes. */
const GIVE_UP_MS = 120_000;

/** Waits for something to become true; fails when it does not, long after it should have. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_MS;
  while (!(await isTrue())) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${GIVE_UP_MS} ms: ${isTrue.toString()}`);
    await sleep(5);
  }
}
