/**
 * Queries of one turn of the event loop go to the store in one command: a command costs the driver and the server several
 * times as much as one more document in it.
 */
import DataLoader from 'dataloader';

/** As many as come in one turn on a busy server, and a few megabytes at most. */
const MAX_TOGETHER = 50;

/** Answers many queries at once, each with its value or its error. */
export type AnswerAll<Q, A> = (questions: readonly Q[], signal: AbortSignal) => Promise<readonly (A | Error)[]>;

interface Asked<Q> {
  readonly question: Q;
  readonly signal: AbortSignal;
}

export class Together<Q, A> {
  readonly #loader: DataLoader<Asked<Q>, A>;

  constructor(answerAll: AnswerAll<Q, A>) {
    this.#loader = new DataLoader<Asked<Q>, A>(
      (asked) =>
        answerAll(
          asked.map(({ question }) => question),
          lastOf(asked.map(({ signal }) => signal)),
        ),
      // No cache: what was read is out of date a moment later.
      { cache: false, maxBatchSize: MAX_TOGETHER, batchScheduleFn: setImmediate },
    );
  }

  /** @throws the signal's reason when it aborts; the command goes on for the others. */
  ask(question: Q, signal: AbortSignal): Promise<A> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const giveUp = (): void => {
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#loader
        .load({ question, signal })
        .then(resolve, reject)
        .finally(() => {
          signal.removeEventListener('abort', giveUp);
        });
    });
  }
}

/** Aborts with the last of them, when nobody is waiting. */
function lastOf(signals: readonly AbortSignal[]): AbortSignal {
  // Some may have given up before anything is sent.
  const waiting = signals.filter(({ aborted }) => !aborted);
  const [only = signals[0]] = waiting;
  if (waiting.length <= 1 && only !== undefined) return only;
  const all = new AbortController();
  let left = waiting.length;
  for (const signal of waiting) {
    signal.addEventListener('abort', () => {
      left -= 1;
      if (left === 0) all.abort(signal.reason);
    });
  }
  return all.signal;
}

/** A condition for one value or for several. */
export function anyOf<V>(values: Iterable<V>): { $eq: V } | { $in: V[] } {
  const all = [...new Set(values)];
  const [first] = all;
  return all.length === 1 && first !== undefined ? { $eq: first } : { $in: all };
}

/** The value of each key, made on first use and kept while the key lives. */
export function oncePer<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
