import assert from 'node:assert/strict';
import type { Client, TaskJson } from './client.ts';

interface ChangesJson {
  changed: TaskJson[];
  removed: string[];
  next: string;
  more: boolean;
}

/** A device that only follows: its replica (texts by id), and where it is. */
export class Device {
  readonly replica = new Map<string, string>();
  #since: string | undefined;

  /** It may go on through another server, and under another name. */
  async sync(client: Client, limit = 100): Promise<void> {
    for (let more = true; more;) {
      const since = this.#since === undefined ? '' : `&since=${this.#since}`;
      const response = await client.get(`/api/tasks/changes?limit=${limit}${since}`);
      assert.equal(response.status, 200, await response.clone().text());
      const answer = (await response.json()) as ChangesJson;
      for (const { _id, Text } of answer.changed) this.replica.set(_id, Text);
      for (const id of answer.removed) this.replica.delete(id);
      this.#since = answer.next;
      more = answer.more;
    }
  }

  get texts(): string[] {
    return [...this.replica.values()].sort();
  }
}
