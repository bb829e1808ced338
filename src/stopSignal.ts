/** Milliseconds within which the same signal is the same Ctrl-C: npm passes on what the terminal has sent to everybody already. */
const ECHO_MS = 500;

interface Parts {
  /** Who emits the signals: the process. */
  emitter: { on(name: NodeJS.Signals, listener: (name: NodeJS.Signals) => void): unknown };
  names: readonly NodeJS.Signals[];
  /** Milliseconds of a clock that nobody sets. */
  now?: () => number;
  /** Called for a second signal: somebody does not want to wait. */
  onImpatient: () => void;
}

/** Resolves with the first of these signals: the process is to end in order. */
export function waitForSignal(parts: Parts): Promise<NodeJS.Signals> {
  const { emitter, names, now = () => performance.now(), onImpatient } = parts;
  return new Promise((resolve) => {
    let first: { name: NodeJS.Signals; at: number } | undefined;
    const stop = (name: NodeJS.Signals): void => {
      const isEcho = first?.name === name && now() - first.at < ECHO_MS;
      if (first !== undefined && !isEcho) onImpatient();
      first ??= { name, at: now() };
      resolve(name);
    };
    for (const name of names) emitter.on(name, stop);
  });
}
