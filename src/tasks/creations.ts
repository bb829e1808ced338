/** Creating tasks: the limit for each user, and the key of a POST that may be repeated. */
import { hash } from 'node:crypto';
import type { Request } from 'restify';
import { ownedId } from '../database/ownedId.ts';
import { BadRequestError, IdempotencyKeyReusedError, TooManyTasksError } from '../errors.ts';
import { type Birth, type Draft, newBirth, newTask, type TaskState } from './document.ts';
import { CREATION_HOURS, type CreationDocument } from './model.ts';
import { type Content, LifeEndedError, memoryOfOwners, OwnedCollection } from './owned.ts';
import type { Session } from './store.ts';

type Creation = Content<CreationDocument>;

const LIFETIME_MS = CREATION_HOURS * 3_600_000;

/**
 * Creates the task of a POST; with an Idempotency-Key only once. The record of the key holds the id chosen for the task and
 * is written first. So a repeat finds the same id, whether it comes while the first runs, at another instance, after a crash
 * between the two writes or after the task was deleted: if the task or its tombstone exists, nothing is inserted.
 *
 * @param path the same key on another path is another request.
 * @returns the task as it was created, rebuilt from the request, which is the same as the first.
 * @throws {IdempotencyKeyReusedError} when the key came with another request.
 * @throws {TooManyTasksError}
 */
export async function createTask(
  session: Session,
  draft: Draft,
  key: string | undefined,
  path: string,
): Promise<TaskState> {
  const create = async (): Promise<TaskState> => {
    const now = newBirth(new Date(session.clock.now()));
    if (key === undefined) await admitTask(session);
    const birth = key === undefined ? now : await birthOnce(session, key, fingerprintOf(path, draft), now);
    const task = newTask(birth, draft);
    await new OwnedCollection(session.models.tasks, session).insert(task);
    return task;
  };
  try {
    return await create();
  } catch (error) {
    // The user was erased meanwhile and this was undone: now it is the first task of a new life.
    if (!(error instanceof LifeEndedError)) throw error;
    return await create();
  }
}

/** Two requests are the same if they mean the same, however they were written. */
function fingerprintOf(path: string, { text, due, details }: Draft): string {
  return hash('sha256', JSON.stringify([path, text, due, details]), 'base64url');
}

/** The origin of this key's task, decided by the first request that gets here. */
async function birthOnce(session: Session, key: string, fingerprint: string, birth: Birth): Promise<Birth> {
  const creations = new OwnedCollection(session.models.creations, session);
  const mine = { _id: ownedId(session.owner, key), fingerprint, ...birth };
  const first = await claim(creations, mine);
  if (first.fingerprint !== fingerprint) throw new IdempotencyKeyReusedError();
  if (first !== mine) return first;
  try {
    await admitTask(session);
  } catch (error) {
    // One task too many leaves its key free.
    await creations.remove({ _id: { $eq: mine._id }, task: { $eq: mine.task } });
    throw error;
  }
  return mine;
}

/** The record that holds for a key: this one, or an earlier one. */
async function claim(creations: OwnedCollection<CreationDocument>, mine: Creation): Promise<Creation> {
  for (;;) {
    if (await creations.insert(mine)) return mine;
    const known = await creations.get(mine._id);
    if (known === undefined) continue; // the store has just removed it
    if (mine.at.getTime() - known.at.getTime() < LIFETIME_MS) return known;
    // Too old, but not yet removed. Of those who notice at once, one takes its place.
    if (await creations.replace({ _id: { $eq: mine._id }, task: { $eq: known.task } }, mine)) return mine;
  }
}

export const IDEMPOTENCY_KEY = /^[\x21-\x7E]{1,255}$/;

/**
 * The Idempotency-Key header (IETF draft-ietf-httpapi-idempotency-key-header).
 *
 * @throws {BadRequestError} when the key is malformed or came twice.
 */
export function readIdempotencyKey(headers: Request['headers']): string | undefined {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  // Node joins a repeated header with ", ", and no key may contain a space.
  if (typeof header !== 'string' || !IDEMPOTENCY_KEY.test(header)) {
    throw new BadRequestError('Idempotency-Key is malformed: send 1 to 255 visible ASCII characters, once');
  }
  return header;
}

/** The most tasks that a user may have. */
const MAX_TASKS = 100_000;
/** Milliseconds after which a count is old: other instances create as well. */
const TRUST_MS = 600_000;

interface Count {
  /** Tasks that may be created before they are counted again: a tenth of the remaining room. */
  left: number;
  at: number;
}

const countsOf = memoryOfOwners<Count>();

/**
 * Refuses a task too many. Tasks are counted on an index, but not for every new one: a count lasts for a tenth of the room
 * that it leaves, so users with few tasks are counted rarely, and those near the limit each time. Several instances at once
 * may let somebody exceed the limit by as much.
 *
 * @throws {TooManyTasksError}
 */
export async function admitTask(session: Session): Promise<void> {
  const { models, owner, clock } = session;
  const known = countsOf(models.tasks);
  const now = clock.now();
  const count = known.get(owner);
  if (count !== undefined && count.left > 0 && Math.abs(now - count.at) < TRUST_MS) {
    count.left -= 1;
    return;
  }
  const tasks = new OwnedCollection(models.tasks, session);
  const room = MAX_TASKS - (await tasks.count({ deletedAt: null }, MAX_TASKS));
  if (room <= 0) throw new TooManyTasksError(MAX_TASKS);
  known.set(owner, { left: Math.floor(room / 10), at: now });
}
