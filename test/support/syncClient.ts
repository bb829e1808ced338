/**
 * A reference for apps that work offline: a replica, an outbox, and the loop that brings both together with the server.
 * It needs nothing but what `docs/client.md` teaches. Everything here would survive a restart of the app if
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

interface ResultJson {
  status: number;
  body: unknown;
}

/** The most that a batch takes. */
const MAX_OPERATIONS = 50;

function codeOf({ body }: ResultJson): unknown {
  return (body as { code?: unknown } | null)?.code;
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
    while (this.outbox.length > 0) {
      const edits = this.#nextTrip();
      const body = { operations: edits.map((edit) => this.#operationFor(edit)) };
      const response = await this.#client.request('POST', '/api/batch', { body });
      if (response.status !== 200) throw new SyncError(await response.text());
      const { results } = (await response.json()) as { results: ResultJson[] };
      for (const [i, edit] of edits.entries()) {
        const result = results[i];
        // It was not begun: it is the first of the next trip.
        if (result === undefined || codeOf(result) === 'NotDone') break;
        this.#note(edit, result);
        // Not before the answer is there: until then it might have to be sent again.
        this.outbox.shift();
      }
    }
  }

  /** As many edits as go in one trip: an edit of a task that this very trip creates waits for its id. */
  #nextTrip(): Edit[] {
    const created = new Set<string>();
    const edits: Edit[] = [];
    for (const edit of this.outbox) {
      if (edits.length === MAX_OPERATIONS || (edit.kind !== 'create' && created.has(edit.id))) break;
      if (edit.kind === 'create') created.add(edit.localId);
      edits.push(edit);
    }
    return edits;
  }

  /** Each may be sent again without harm: the client cannot know whether its answer was lost or it never arrived. */
  #operationFor(edit: Edit): object {
    if (edit.kind === 'create') {
      return { method: 'POST', path: '/api/tasks', headers: { 'Idempotency-Key': edit.key }, body: edit.fields };
    }
    const path = `/api/tasks/${this.#idOf(edit.id)}`;
    // A patch changes what the user changed, and leaves what others did to the rest.
    return edit.kind === 'remove' ? { method: 'DELETE', path } : { method: 'PATCH', path, body: edit.fields };
  }

  #note(edit: Edit, { status, body }: ResultJson): void {
    // Deleted by somebody else, or by the request whose answer was lost: the next fetch says so.
    const isGone = status === 404 && edit.kind !== 'create';
    if (!isGone && status >= 300) throw new SyncError(JSON.stringify(body));
    if (edit.kind === 'remove') this.replica.delete(this.#idOf(edit.id));
    if (isGone || body === null) return;
    const task = body as TaskJson;
    if (edit.kind === 'create') this.#ids.set(edit.localId, task._id);
    this.replica.set(task._id, task);
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
