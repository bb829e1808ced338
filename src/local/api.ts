/** The API in a process of its own: the same `src/main.ts` that `npm start` runs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import { createLogFormatter, PROBE_ID } from './logFormat.ts';

/** The API itself gives requests in flight 10 s. */
const STOP_MS = 12_000;
const POLL_MS = 100;

export interface ApiProcess {
  /** Resolves when the process is gone, with how it ended: "exit code 1", "signal SIGKILL". */
  readonly ended: Promise<string>;
  /** Lets it finish what it is doing. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

export function startApi(root: string, env: NodeJS.ProcessEnv, print: (line: string) => void): ApiProcess {
  // In our process group, so that ending the group leaves nothing behind.
  const child = spawn(process.execPath, ['src/main.ts'], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  // styleText looks at the stream: colours only in a terminal that has them, and not with NO_COLOR.
  const format = createLogFormatter((style, text) => styleText(style, text, { stream: process.stdout }));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const shown = format(line);
    if (shown !== undefined) print(shown);
  });
  // 'close', not 'exit': its last lines are out by then.
  const ended = once(child, 'close').then(([code, signal]) => {
    return signal === null ? `exit code ${String(code)}` : `signal ${String(signal)}`;
  });
  return {
    ended,
    kill: () => child.kill('SIGKILL'),
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/**
 * Resolves when `/readyz` answers 200.
 *
 * @param onSlow called once, after ten seconds, with what is missing.
 */
export async function waitUntilReady(
  url: string,
  signal: AbortSignal,
  onSlow: (reason: string) => void,
): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const missing = await askReadiness(url, signal);
    if (missing === undefined) return;
    if (waitedMs === 10_000) onSlow(missing);
    await delay(POLL_MS, undefined, { signal });
  }
}

async function askReadiness(url: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/readyz`, {
      headers: { 'X-Request-Id': PROBE_ID },
      signal: AbortSignal.any([signal, AbortSignal.timeout(2000)]),
    });
    const body = await response.text();
    return response.ok ? undefined : body;
  } catch (error) {
    signal.throwIfAborted();
    return `no answer from ${url}/readyz: ${String((error as Error).cause ?? error)}`;
  }
}
