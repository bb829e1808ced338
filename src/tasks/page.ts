/** A page of tasks, and the opaque tokens that say where the next one begins. */
import { taskJson, type TaskState } from './document.ts';

/** Bytes of JSON in one answer, unless its first task alone is larger. A thousand ordinary tasks take a third of it. */
export const MAX_PAGE_BYTES = 1024 * 1024;
// Tasks to read before their size is known.
const FIRST = 25;

/** The tasks of one answer, as a JSON array on one line that ends before it becomes too large. */
export class Page {
  readonly tasks: TaskState[] = [];
  readonly #parts: string[] = [];
  readonly #limit: number;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get json(): string {
    return `[${this.#parts.join(',')}]`;
  }

  /** Returns false, and adds nothing, if there is no room. */
  add(task: TaskState): boolean {
    if (this.tasks.length >= this.#limit) return false;
    const part = taskJson(task);
    const bytes = Buffer.byteLength(part) + 1;
    if (this.#bytes + bytes > MAX_PAGE_BYTES && this.tasks.length > 0) return false;
    this.#bytes += bytes;
    this.#parts.push(part);
    this.tasks.push(task);
    return true;
  }

  /** How many more to read: as many as fit if they are like those before, and one to see whether more follow. */
  get room(): number {
    const left = this.#limit - this.tasks.length + 1;
    if (this.tasks.length === 0) return Math.min(left, FIRST);
    return Math.min(left, Math.ceil((MAX_PAGE_BYTES - this.#bytes + 1) / (this.#bytes / this.tasks.length)));
  }
}

/** Encodes cursors and sync tokens, which are opaque to clients. */
export function encodeOpaque(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Decodes the parts. Undefined if one fails its check, or the text is not, byte for byte, what `encodeOpaque` returns. */
export function decodeOpaque<Parts extends unknown[]>(
  text: string,
  checks: readonly [...{ [I in keyof Parts]: (part: unknown) => part is Parts[I] }],
): Parts | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (!Array.isArray(parts) || parts.length !== checks.length || encodeOpaque(parts) !== text) return undefined;
    return checks.every((isGood, i) => isGood(parts[i])) ? (parts as Parts) : undefined;
  } catch {
    return undefined;
  }
}

export function isText(part: unknown): part is string {
  return typeof part === 'string';
}

export function isInteger(part: unknown): part is number {
  return Number.isSafeInteger(part);
}
