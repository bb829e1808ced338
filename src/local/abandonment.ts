const PARENT_CHECK_MS = 500;

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
