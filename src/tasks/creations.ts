import { createHash } from 'node:crypto';
import type { Request } from 'restify';
import { ownedId } from '../database/ownedId.ts';
import { BadRequestError, IdempotencyKeyReusedError } from '../errors.ts';
import { type Birth, type Draft, randomId, type TaskState } from './document.ts';
import { CREATION_HOURS, type CreationDocument } from './model.ts';
import { type Content, equals, LifeEndedError, OwnedCollection } from './owned.ts';
import { admitTask } from './quota.ts';
import { type Session, TaskStore } from './store.ts';

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
  const create = async (): Promise<TaskState> => {
    const store = new TaskStore(session);
    if (key === undefined) {
      await admitTask(session);
      return await store.create(draft);
    }
    return await store.createOnce(await claim(session, key, fingerprintOf(path, draft)), draft);
  };
  try {
    return await create();
  } catch (error) {
    // The user was erased meanwhile, and what was stored is taken back: now it is the first task of a new life.
    if (!(error instanceof LifeEndedError)) throw error;
    return await create();
  }
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
  const _id = ownedId(owner, key);
  for (;;) {
    const at = new Date(clock.now());
    const mine = { _id, fingerprint, task: randomId(), version: randomId(), at };
    if (await creations.insert(mine)) return await admitted(session, creations, mine);
    const known = await creations.findOne({ _id: equals(_id) });
    if (known === undefined) continue; // the store has just dropped it
    if (at.getTime() - known.at.getTime() < LIFETIME_MS) return sameRequest(known, fingerprint);
    // Too old, and not yet dropped. Of those who see that at once, one takes its place.
    if (await creations.replace({ _id: equals(_id), task: equals(known.task) }, mine)) return birthOf(mine);
  }
}

/** A key that has just come counts as a task; one that is too many leaves its key free. */
async function admitted(
  session: Session,
  creations: OwnedCollection<CreationDocument>,
  mine: Content<CreationDocument>,
): Promise<Birth> {
  try {
    await admitTask(session);
  } catch (error) {
    await creations.remove({ _id: equals(mine._id), task: equals(mine.task) });
    throw error;
  }
  return birthOf(mine);
}

function sameRequest(known: CreationDocument, fingerprint: string): Birth {
  if (known.fingerprint !== fingerprint) throw new IdempotencyKeyReusedError();
  return birthOf(known);
}

function birthOf({ task, version, at }: Pick<CreationDocument, 'task' | 'version' | 'at'>): Birth {
  return { id: task, version, at };
}

const KEY = /^[\x21-\x7E]{1,255}$/;

/**
 * The Idempotency-Key header (IETF draft-ietf-httpapi-idempotency-key-header).
 *
 * @throws {BadRequestError} when the key is malformed or came twice.
 */
export function readIdempotencyKey(headers: Request['headers']): string | undefined {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  // Node joins a repeated header with ", ", whose space no key may hold.
  if (typeof header !== 'string' || !KEY.test(header)) {
    throw new BadRequestError('Idempotency-Key is malformed: send 1 to 255 visible ASCII characters, once');
  }
  return header;
}
