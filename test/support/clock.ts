import type { Clock } from '../../src/clock.ts';

export interface MovableClock extends Clock {
  advance(ms: number): void;
}

/** A clock that stands still until a test moves it. Starts at the real time, so that real tokens are valid. */
export function movableClock(start = Date.now()): MovableClock {
  let now = start;
  return {
    now: () => now,
    advance(ms) {
      now += ms;
    },
  };
}
