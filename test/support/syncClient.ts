/**
 * A reference for apps that work offline: a replica, an outbox, and the loop that brings both together with the server.
 * It needs nothing but what the README's client guide teaches. Everything here would survive a restart of the app if
 * the members were kept in a file; `next` and the replica must be written together.
 */
import { randomUUID } from 'node:crypto';
import type { Client, TaskJson } from './client.ts';

export type Fields = Partial<Pick<TaskJson, 'Text' | 'completed' | 'date'>>;

/** What the user did and the server may not know yet, in the order in which it was done. */
type Edit =
  // The key is made with the edit, once: however often it is sent, it creates one task.
  | { kind: 'create'; localId: string; key: string; fields: Fields }
  | { kind: 'change'; id: string; fields: Fields }
  | { kind: 'remove'; id: string };

/** An answer that calls for the user, or for a bug report; not one that was lost. */
export class SyncError extends Error {}

interface ChangesJson {
  changed: TaskJson[];
  removed: string[];
  next: string;
  more: boolean;
}

export class SyncClient {
  /** What the server said last, by id. */
  readonly replica = new Map<string, TaskJson>();
  /** The first edit is the next to send. */
  readonly outbox: Edit[] = [];
  readonly #client: Pick<Client, 'request'>;
  /** The server's ids of tasks that were created here, by local id. */
  readonly #ids = new Map<string, string>();
  #next: string | undefined;

  /** @param client may throw at any request, before it is sent or when the answer is lost. */
  constructor(client: Pick<Client, 'request'>) {
    this.#client = client;
  }

  /** What the user sees: the replica, with what was not sent yet on top. */
  get tasks(): Map<string, Fields> {
    const tasks = new Map<string, Fields>(this.replica);
    for (const edit of this.outbox) {
      if (edit.kind === 'create') tasks.set(this.#idOf(edit.localId), edit.fields);
      else if (edit.kind === 'remove') tasks.delete(this.#idOf(edit.id));
      else tasks.set(this.#idOf(edit.id), { ...tasks.get(this.#idOf(edit.id)), ...edit.fields });
    }
    return tasks;
  }

  /** Returns an id that can be used at once; it stays good when the server has given another. */
  create(fields: Fields): string {
    const localId = randomUUID();
    this.outbox.push({ kind: 'create', localId, key: randomUUID(), fields });
    return localId;
  }

  change(id: string, fields: Fields): void {
    this.outbox.push({ kind: 'change', id, fields });
  }

  remove(id: string): void {
    this.outbox.push({ kind: 'remove', id });
  }

  /** Sends, then fetches. When it throws, nothing is lost: call it again when there is a network. */
  async sync(): Promise<void> {
    await this.#send();
    await this.#fetch();
  }

  async #send(): Promise<void> {
    for (let edit = this.outbox[0]; edit !== undefined; edit = this.outbox[0]) {
      if (edit.kind === 'create') await this.#sendCreation(edit);
      else if (edit.kind === 'change') await this.#sendChange(this.#idOf(edit.id), edit.fields);
      else await this.#sendRemoval(this.#idOf(edit.id));
      // Not before the answer is there: until then it might have to be sent again.
      this.outbox.shift();
    }
  }

  async #sendCreation({ localId, key, fields }: Extract<Edit, { kind: 'create' }>): Promise<void> {
    const headers = { 'Idempotency-Key': key };
    const response = await this.#client.request('POST', '/api/tasks', { headers, body: fields });
    if (response.status !== 201) throw new SyncError(await response.text());
    const task = (await response.json()) as TaskJson;
    this.#ids.set(localId, task._id);
    this.replica.set(task._id, task);
  }

  /** What the user changed wins, member by member; what others changed meanwhile stays. */
  async #sendChange(id: string, fields: Fields): Promise<void> {
    for (;;) {
      const current = await this.#client.request('GET', `/api/tasks/${id}`);
      if (current.status === 404) return; // deleted elsewhere: the next fetch says so
      const etag = current.headers.get('etag') ?? '';
      await current.arrayBuffer();
      const headers = { 'If-Match': etag };
      const response = await this.#client.request('PATCH', `/api/tasks/${id}`, { headers, body: fields });
      if (response.status === 412) {
        await response.arrayBuffer();
        continue; // somebody was faster
      }
      if (response.status !== 200) throw new SyncError(await response.text());
      this.replica.set(id, (await response.json()) as TaskJson);
      return;
    }
  }

  async #sendRemoval(id: string): Promise<void> {
    const response = await this.#client.request('DELETE', `/api/tasks/${id}`);
    // 404: deleted by somebody else, or by the request whose answer was lost.
    if (response.status !== 204 && response.status !== 404) throw new SyncError(await response.text());
    await response.arrayBuffer();
    this.replica.delete(id);
  }

  async #fetch(): Promise<void> {
    for (let more = true; more;) {
      const since = this.#next === undefined ? '' : `?since=${this.#next}`;
      const response = await this.#client.request('GET', `/api/tasks/changes${since}`);
      if (response.status === 410) {
        await response.arrayBuffer();
        this.#next = undefined; // away for too long: as the first time
        continue;
      }
      if (response.status !== 200) throw new SyncError(await response.text());
      const { changed, removed, next, more: hasMore } = (await response.json()) as ChangesJson;
      // Everything there is, without what was removed before: a task that we created may be gone by now.
      if (this.#next === undefined) this.replica.clear();
      for (const task of changed) this.replica.set(task._id, task);
      for (const id of removed) this.replica.delete(id);
      this.#next = next;
      more = hasMore;
    }
  }

  #idOf(id: string): string {
    return this.#ids.get(id) ?? id;
  }
}
