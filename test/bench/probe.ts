/** Preloaded into every server under load: tells how much CPU and memory it has taken, and where, when asked. */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

export interface Usage {
  /** Milliseconds of CPU time since the process began, all threads. */
  cpuMs: number;
  /** Bytes, after a collection of garbage if that was asked for. */
  heapBytes: number;
  rssBytes: number;
}

export interface Question {
  collectGarbage?: boolean;
  /** Begin a CPU profile, or write the one that was begun to this file. */
  profile?: 'begin' | { file: string };
}

const MICROSECONDS_BETWEEN_SAMPLES = 200;
const profiler = new Session();

process.on('message', ({ collectGarbage, profile }: Question) => {
  if (collectGarbage === true) globalThis.gc?.();
  if (profile === 'begin') beginProfile();
  else if (profile !== undefined) writeProfile(profile.file);
  const { user, system } = process.cpuUsage();
  const { heapUsed, rss } = process.memoryUsage();
  process.send?.({ cpuMs: (user + system) / 1000, heapBytes: heapUsed, rssBytes: rss } satisfies Usage);
});
// The listener alone would keep the process alive.
process.channel?.unref();

function beginProfile(): void {
  profiler.connect();
  profiler.post('Profiler.enable');
  profiler.post('Profiler.setSamplingInterval', { interval: MICROSECONDS_BETWEEN_SAMPLES });
  profiler.post('Profiler.start');
}

function writeProfile(file: string): void {
  profiler.post('Profiler.stop', (error, result) => {
    if (error === null) writeFileSync(file, JSON.stringify(result.profile));
  });
  profiler.disconnect();
}
