/** Milliseconds since the Unix epoch. `Date` is one; tests pass one that they move. */
export interface Clock {
  now(): number;
}
