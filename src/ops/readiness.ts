import { NotReadyError } from '../errors.ts';

/** Called at every probe and every scrape: each answers from memory. */
export interface Readiness {
  /** The store answers, and its collections and indexes are there. */
  store: () => boolean;
  /** What is wrong with the store, such as `does not answer`. */
  storeProblem: () => string | undefined;
  /** The keys of at least one policy are known: a policy without keys refuses only its own tokens. */
  keys: () => boolean;
  /** Each policy, and whether its keys are known; External ID counts as one. */
  policies: () => ReadonlyMap<string, boolean>;
  /** The process has been told to stop. */
  draining: () => boolean;
}

/** The policies whose tokens cannot be verified now. */
export function policiesWithoutKeys({ policies }: Readiness): string[] {
  return [...policies()].filter(([, isKnown]) => !isKnown).map(([label]) => label);
}

/** @throws {NotReadyError} naming everything that is missing. */
export function assertReady({ store, storeProblem, keys, draining }: Readiness): void {
  const missing = [
    ...(draining() ? ['this instance is stopping'] : []),
    ...(store() ? [] : [`the store ${storeProblem() ?? 'does not answer'}`]),
    ...(keys() ? [] : ["the tenant's keys are not known"]),
  ];
  if (missing.length > 0) throw new NotReadyError(missing);
}
