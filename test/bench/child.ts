import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const STOP_MS = 15_000;
const PROBE = new URL('probe.ts', import.meta.url).href;

interface ChildOptions {
  cwd: string;
  env: Record<string, string>;
  /** Whether the probe answers its messages, instead of the script. */
  isProbed: boolean;
}

/** A process of the benchmark that answers each message with one of its own. */
export class Child {
  readonly #process: ChildProcess;

  /** What it logs goes to the null device: written as in production, and read by nobody who would need a core. */
  constructor(script: string, { cwd, env, isProbed }: ChildOptions) {
    const probe = isProbed ? ['--expose-gc', '--import', PROBE] : [];
    this.#process = spawn(process.execPath, [...probe, script], {
      cwd,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The next message that comes from it. */
  async receive(): Promise<unknown> {
    const gone = new AbortController();
    const exited = once(this.#process, 'exit', { signal: gone.signal }).then(() => {
      throw new Error(`${this.#process.spawnargs.at(-1) ?? ''} has ended`);
    });
    try {
      const [message] = (await Promise.race([once(this.#process, 'message'), exited])) as [unknown];
      return message;
    } finally {
      exited.catch(() => undefined);
      gone.abort();
    }
  }

  async ask(question: object): Promise<unknown> {
    const answer = this.receive();
    this.#process.send(question);
    return await answer;
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const late = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(late);
  }
}
