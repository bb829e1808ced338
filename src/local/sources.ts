/** Polls for source changes: this also works with editors that replace files, shared folders and containers. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 300;

/** The API's sources. Of `src/local` only the store: the rest is this process, which does not restart itself. */
const WATCHED = ['src', 'config', '.env'];
const LOCAL = join('src', 'local');
const STORE = join(LOCAL, 'store');

/** Each file with its time and size. */
export type Sources = ReadonlyMap<string, string>;

export async function readSources(root: string): Promise<Sources> {
  const files = (await Promise.all(WATCHED.map((name) => listFiles(join(root, name))))).flat();
  const watched = files.filter((file) => isWatched(relative(root, file)));
  const marks = await Promise.all(watched.map(async (file) => [relative(root, file), await mark(file)] as const));
  return new Map(marks);
}

/** Resolves with the name of a file that differs from `before`, once nothing has changed for a moment. */
export async function waitForChange(root: string, before: Sources, signal: AbortSignal): Promise<string> {
  for (let last = before; ;) {
    await delay(POLL_MS, undefined, { signal });
    const now = await readSources(root);
    const changed = findDifference(before, now);
    // Wait until it settles: an editor that saves several files, or a checkout, restarts the API once.
    if (changed !== undefined && findDifference(last, now) === undefined) return changed;
    last = now;
  }
}

function isWatched(file: string): boolean {
  return !file.startsWith(LOCAL) || file.startsWith(STORE);
}

async function listFiles(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [path];
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function mark(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  return found === undefined ? 'absent' : `${found.mtimeMs} ${found.size}`;
}

function findDifference(before: Sources, now: Sources): string | undefined {
  const names = new Set([...before.keys(), ...now.keys()]);
  return [...names].find((name) => before.get(name) !== now.get(name));
}
