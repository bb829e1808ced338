/** Preloaded into every server under load: tells how much CPU and memory it has taken, when asked. */

export interface Usage {
  /** Milliseconds of CPU time since the process began, all threads. */
  cpuMs: number;
  /** Bytes, after a collection of garbage if that was asked for. */
  heapBytes: number;
  rssBytes: number;
}

process.on('message', (question: { collectGarbage?: boolean }) => {
  if (question.collectGarbage === true) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { heapUsed, rss } = process.memoryUsage();
  process.send?.({ cpuMs: (user + system) / 1000, heapBytes: heapUsed, rssBytes: rss } satisfies Usage);
});
// The listener alone would keep the process alive.
process.channel?.unref();
