import { NotReadyError } from '../errors.ts';

/** Asked from memory at every probe and every scrape: none of these may wait. */
export interface Readiness {
  /** The store answers, and its collections and indexes are there. */
  store: () => boolean;
  /** The tenant's keys are known for every policy. */
  keys: () => boolean;
  /** The process has been told to stop. */
  draining: () => boolean;
}

/** @throws {NotReadyError} naming everything that is not there. */
export function assertReady({ store, keys, draining }: Readiness): void {
  const missing = [
    ...(draining() ? ['this instance is stopping'] : []),
    ...(store() ? [] : ['the store does not answer']),
    ...(keys() ? [] : ["the tenant's keys are not known"]),
  ];
  if (missing.length > 0) throw new NotReadyError(missing);
}
