import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { TestContext } from 'node:test';

export interface StoreProcess {
  child: ChildProcess;
  lines: Interface;
  /** What it wrote to stderr. */
  errors(): string;
}

/** Runs writer.ts on a directory. Ends with the test at the latest. */
export function startProcess(t: TestContext, directory: string, mode = 'wait', first = 1): StoreProcess {
  const script = new URL('writer.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, directory, mode, String(first)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return { child, lines: createInterface(child.stdout), errors: () => errors };
}

/** The next line that the process prints. */
export async function nextLine({ lines }: StoreProcess): Promise<string> {
  const [line] = (await once(lines, 'line')) as [string];
  return line;
}

/** As the kernel does it when memory runs out: nothing can be saved on the way. */
export async function killHard({ child }: StoreProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
