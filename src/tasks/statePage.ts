import type { TaskState } from './document.ts';
import { toTask } from './view.ts';

/** Bytes of JSON after which a page ends. */
const MAX_BYTES = 1024 * 1024;
/** Taken for the size of a state before any was seen: no task has more, but for the odd one full of escapes. */
const LARGEST_BYTES = 128 * 1024;

/** A page that ends at a number of states or at a number of bytes, and reads hardly more than it holds. */
export class StatePage {
  readonly states: TaskState[] = [];
  readonly #limit: number;
  #bytes = 0;
  #largest = LARGEST_BYTES;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Behind the last state. */
  get end(): { number: number; id: TaskState['_id'] } | undefined {
    const last = this.states.at(-1);
    return last?.seq === undefined ? undefined : { number: last.seq, id: last._id };
  }

  /**
   * Takes all that `read` finds, in portions, each behind the last state of the one before. Resolves to whether there is
   * more than the page holds.
   */
  async fill(
    read: (after: { number: number; id: TaskState['_id'] } | undefined, limit: number) => Promise<TaskState[]>,
  ): Promise<boolean> {
    for (let isFirst = true; ; isFirst = false) {
      const room = this.#room();
      const found = await read(isFirst ? undefined : this.end, room);
      if (!found.every((state) => this.#add(state))) return true;
      if (found.length < room) return false;
    }
  }

  /** Takes one portion. Resolves to whether there may be more than that. */
  async take(read: (limit: number) => Promise<TaskState[]>): Promise<boolean> {
    const room = this.#room();
    const found = await read(room);
    return !found.every((state) => this.#add(state)) || found.length === room;
  }

  /** States that fit in by their number, and one more that shows whether there is more; less if they may be too large. */
  #room(): number {
    const byBytes = Math.max(1, Math.floor((MAX_BYTES - this.#bytes) / this.#largest));
    return Math.min(this.#limit - this.states.length + 1, byBytes);
  }

  #add(state: TaskState): boolean {
    const bytes = Buffer.byteLength(JSON.stringify(toTask(state)));
    const isFull = this.states.length === this.#limit || this.#bytes + bytes > MAX_BYTES;
    if (isFull && this.states.length > 0) return false;
    this.#largest = this.#bytes === 0 ? bytes : Math.max(this.#largest, bytes);
    this.#bytes += bytes;
    this.states.push(state);
    return true;
  }
}
