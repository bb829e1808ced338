/** Milliseconds within which a repeated signal is the same Ctrl-C: npm passes on what the terminal has already sent to all. */
const ECHO_MS = 500;

interface Parts {
  /** The process. */
  emitter: { on(name: NodeJS.Signals, listener: (name: NodeJS.Signals) => void): unknown };
  names: readonly NodeJS.Signals[];
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
  /** Called for a second signal: somebody does not want to wait. */
  onImpatient: () => void;
}

/** Resolves with the first of these signals, when the process should shut down. */
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
