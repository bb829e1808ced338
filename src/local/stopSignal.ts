/**
 * One Ctrl-C may arrive as several signals: the terminal sends it to the whole process group, and npm passes on what it
 * receives itself. What follows within this time is the same key press.
 */
const SAME_PRESS_MS = 1000;

const PARENT_CHECK_MS = 500;

interface Parts {
  /** Who emits the signals: the process. */
  signals: { on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown };
  /** Milliseconds of a clock that nobody sets. */
  now: () => number;
  /** Called for a second Ctrl-C. */
  onImpatient: () => void;
}

/** Resolves when the developer wants to stop: Ctrl-C, SIGTERM or a closed terminal. */
export function waitForSignal({ signals, now, onImpatient }: Parts): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const stop = (): void => {
      if (firstAt !== undefined && now() - firstAt > SAME_PRESS_MS) onImpatient();
      firstAt ??= now();
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) signals.on(signal, stop);
  });
}

/**
 * Resolves when nobody is left who could stop us: npm's shell ended on a signal that it did not pass on, or nobody reads
 * our output any more (`npm run dev | head`).
 */
export function waitForAbandonment(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.on('error', () => {
      resolve();
    });
    if (process.env['npm_lifecycle_event'] === undefined) return;
    const parent = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid !== parent) resolve();
    }, PARENT_CHECK_MS);
    timer.unref();
  });
}
