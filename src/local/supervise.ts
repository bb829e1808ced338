/** Keeps the API running: restarts it when its sources change, and tells a failed start from a crash. */
import { type ApiProcess, waitUntilReady } from './api.ts';
import { DevError } from './errors.ts';
import { readSources, waitForChange } from './sources.ts';

export interface Supervised {
  /** The project whose sources are watched. */
  root: string;
  /** Where the API answers. */
  url: string;
  /** Resolves when everything is to end. */
  stopped: Promise<unknown>;
  start: () => ApiProcess;
  /** Called when the API is ready for the first time. */
  welcome: () => void;
  say: (text: string) => void;
}

type Event = { kind: 'stopped' } | { kind: 'changed'; file: string } | { kind: 'ended'; how: string };

/** @throws {DevError} when the API ends before it has ever been ready. */
export async function supervise(parts: Supervised): Promise<void> {
  const stopped = parts.stopped.then((): Event => ({ kind: 'stopped' }));
  const progress = { wasReady: false };
  for (;;) {
    // Taken before the start, so that a change while it starts is not missed.
    const sources = await readSources(parts.root);
    const api = parts.start();
    const round = new AbortController();
    const changed = waitForChange(parts.root, sources, round.signal).then((file): Event => ({ kind: 'changed', file }));
    const ended = api.ended.then((how): Event => ({ kind: 'ended', how }));
    void greet(parts, progress, round.signal);
    try {
      let event = await Promise.race([stopped, changed, ended]);
      if (event.kind === 'ended') {
        if (!progress.wasReady) throw failedStart(event.how);
        parts.say(`The API ended (${event.how}). It restarts when a source file changes.`);
        event = await Promise.race([stopped, changed]);
      }
      if (event.kind === 'changed') parts.say(`${event.file} changed: the API restarts.`);
      await api.stop();
      if (event.kind === 'stopped') return;
    } finally {
      round.abort();
      changed.catch(ignore);
    }
  }
}

function failedStart(how: string): DevError {
  return new DevError(`The API ended (${how}) before it was ready. See its output above.`);
}

async function greet(
  { url, say, welcome }: Supervised,
  progress: { wasReady: boolean },
  signal: AbortSignal,
): Promise<void> {
  try {
    await waitUntilReady(url, signal, (missing) => {
      say(`The API is not ready yet: ${missing}`);
    });
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  if (progress.wasReady) say(`The API is ready again at ${url}.`);
  else welcome();
  progress.wasReady = true;
}

function ignore(): void {
  // The round is over: nobody waits for a change.
}
