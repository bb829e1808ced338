import type { TaskState } from './document.ts';
import { toTask } from './view.ts';

/**
 * Bytes of JSON in one answer, unless its first task alone has more. A thousand tasks of ordinary length have a tenth of it; a
 * thousand of the longest would take fifty megabytes, and the time of everybody else.
 */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** The tasks as a JSON array on one line, up to where it becomes too large, and how many of them are in it. */
export function jsonPage(tasks: readonly TaskState[], maxBytes = MAX_PAGE_BYTES): { json: string; count: number } {
  const parts: string[] = [];
  let bytes = 0;
  for (const task of tasks) {
    const part = JSON.stringify(toTask(task));
    bytes += Buffer.byteLength(part);
    if (bytes > maxBytes && parts.length > 0) break;
    parts.push(part);
  }
  return { json: `[${parts.join(',')}]`, count: parts.length };
}
