/** A copy of the project in which a test may change sources and settings, and `npm run dev` in it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { temporaryDirectory } from '../support/directory.ts';
import { root } from './support.ts';

/** @param without packages that are not installed in it. */
export async function copyProject(t: TestContext, { without = [] }: { without?: string[] } = {}): Promise<string> {
  const project = await temporaryDirectory(t);
  for (const name of ['src', 'config', 'package.json']) {
    await cp(join(root, name), join(project, name), { recursive: true });
  }
  await mkdir(join(project, 'node_modules'));
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (!without.includes(name)) await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
  return project;
}

export interface Development {
  /** Resolves when stdout has matched, counting from the last match. */
  says(pattern: RegExp): Promise<string>;
  /** Sends a signal and resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
  /** Resolves when it has ended by itself. */
  ended: Promise<number | null>;
  output: { stdout: string; stderr: string };
}

/** Starts `npm run dev`'s process; it ends with the test. */
export function startDevelopment(t: TestContext, project: string, env: NodeJS.ProcessEnv = {}): Development {
  const child = spawn(process.execPath, ['src/local/main.ts'], {
    cwd: project,
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collect(child);
  const ended = once(child, 'close').then(([code]) => code as number | null);
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let position = 0;
  return {
    output,
    ended,
    async says(pattern) {
      for (;;) {
        const match = pattern.exec(output.stdout.slice(position));
        if (match !== null) {
          position += match.index + match[0].length;
          return match[1] ?? match[0];
        }
        const more = await Promise.race([once(child.stdout, 'data'), ended]);
        if (!Array.isArray(more)) {
          throw new Error(`it ended without ${String(pattern)}:\n${output.stdout}${output.stderr}`);
        }
      }
    },
    async end(signal = 'SIGINT') {
      child.kill(signal);
      return ended;
    },
  };
}

function collect(child: ChildProcessByStdio<null, Readable, Readable>): Development['output'] {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  return output;
}
