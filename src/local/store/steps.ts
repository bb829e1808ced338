import { CommandError } from './errors.ts';

/**
 * Work in steps. A generator that yields says "a good place to let others in", and is gone on with later; so no command, however
 * much it reads or writes, keeps the others waiting for longer than one step.
 */
export type Steps<T> = Iterator<undefined, T, undefined>;

/** What is found, with `undefined` wherever others may be let in: what was found before may have changed when it goes on. */
export type Scan<T> = Iterable<T | undefined>;

/** The same work, given up at the first pause after so many milliseconds. @throws {CommandError} MaxTimeMSExpired. */
export function* inTime<T>(steps: Steps<T>, maxTimeMs: number): Generator<undefined, T, undefined> {
  const start = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - start > maxTimeMs) throw new CommandError(50, 'operation exceeded time limit');
    yield;
  }
}
