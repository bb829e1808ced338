import { LRUCache } from 'lru-cache';
import type { Model } from 'mongoose';
import { oncePer } from '../database/together.ts';
import { TooManyTasksError } from '../errors.ts';
import type { TaskDocument } from './model.ts';
import { OwnedCollection } from './owned.ts';
import type { Session } from './store.ts';

/** Tasks that one user keeps at most. */
const MAX_TASKS = 100_000;
const MAX_REMEMBERED = 10_000;
/** Milliseconds after which a count is old: other instances create as well. */
const TRUST_MS = 600_000;

interface Count {
  /** Tasks that may be created before they are counted again: a tenth of the room there was. */
  left: number;
  at: number;
}

const countsOf = oncePer<Model<TaskDocument>, LRUCache<string, Count>>(() => new LRUCache({ max: MAX_REMEMBERED }));

/**
 * Refuses a task too many. Tasks are counted on an index, and not for every new one: a count is good for a tenth of the room
 * that it left, so that who has few is counted rarely and who has nearly all each time. Several instances at once may let
 * somebody pass by as much.
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
