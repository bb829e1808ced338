import { createHash } from 'node:crypto';
import { IdempotencyKeyReusedError } from '../errors.ts';
import { randomId, type Birth, type Draft, type TaskState } from './document.ts';
import { CREATION_HOURS, type CreationDocument } from './model.ts';
import { equals, OwnedCollection } from './owned.ts';
import { TaskStore, type Session } from './store.ts';

const LIFETIME_MS = CREATION_HOURS * 3_600_000;

/**
 * Creates the task of a POST; with an Idempotency-Key only once. The record of the key holds the id chosen for the task
 * and is written before it. So a repeat finds the same id, whether it comes while the first runs, to another instance,
 * after a crash between the two writes or after the task was deleted: where a task or its tombstone is, nothing is inserted.
 *
 * @returns the task as it was when it was created, made anew from the request, which is the same as the first.
 * @throws {IdempotencyKeyReusedError} when the key came with another request.
 */
export async function createTask(session: Session, draft: Draft, { key, path }: Repeatable): Promise<TaskState> {
  const store = new TaskStore(session);
  if (key === undefined) return await store.create(draft);
  return await store.createOnce(await claim(session, key, fingerprintOf(path, draft)), draft);
}

/** What makes a POST repeatable. */
export interface Repeatable {
  key: string | undefined;
  /** The same key on another path is another request. */
  path: string;
}

/** Two requests are the same when they are read the same, however they were written. */
function fingerprintOf(path: string, { text, due, details }: Draft): string {
  return createHash('sha256')
    .update(JSON.stringify([path, text, due, details]))
    .digest('base64url');
}

/** Where the task of this key comes from: decided by the first request that gets here. */
async function claim(session: Session, key: string, fingerprint: string): Promise<Birth> {
  const { owner, clock } = session;
  const creations = new OwnedCollection(session.models.creations, session);
  const _id = createHash('sha256').update(`${owner}\0${key}`).digest('hex');
  for (;;) {
    const at = new Date(clock.now());
    const mine = { _id, fingerprint, task: randomId(), version: randomId(), at };
    if (await creations.insert(mine)) return birthOf(mine);
    const known = await creations.findOne({ _id: equals(_id) });
    if (known === undefined) continue; // the store has just dropped it
    if (at.getTime() - known.at.getTime() < LIFETIME_MS) return sameRequest(known, fingerprint);
    // Too old, and not yet dropped. Of those who see that at once, one takes its place.
    if (await creations.replace({ _id: equals(_id), task: equals(known.task) }, mine)) return birthOf(mine);
  }
}

function sameRequest(known: CreationDocument, fingerprint: string): Birth {
  if (known.fingerprint !== fingerprint) throw new IdempotencyKeyReusedError();
  return birthOf(known);
}

function birthOf({ task, version, at }: Pick<CreationDocument, 'task' | 'version' | 'at'>): Birth {
  return { id: task, version, at };
}
