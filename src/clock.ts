/** Where the time comes from: milliseconds since the Unix epoch. `Date` is one; tests bring one that they move. */
export interface Clock {
  now(): number;
}
