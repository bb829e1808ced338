/** What every handler needs of a request: its caller's store, its parameters, its body. */
import type { Request, Response } from 'restify';
import type { Clock } from '../clock.ts';
import { deadlineOf } from '../database/deadline.ts';
import { InternalError } from '../errors.ts';
import { bodyOf } from '../http/body.ts';
import type { BodyKind } from '../http/mediaType.ts';
import type { Members } from '../http/request.ts';
import { sendJson } from '../http/respond.ts';
import { tagOf, type TaskState } from './document.ts';
import type { TaskModels } from './model.ts';
import { referenceToTask } from './reference.ts';
import { TaskStore, type Session } from './store.ts';
import { toTask } from './view.ts';

/** What stays the same from request to request. */
export interface Parts {
  models: TaskModels;
  clock: Clock;
}

/** Call it when the body is read: the store's time begins here. */
export function sessionOf(req: Request, { models, clock }: Parts): Session {
  if (req.user === undefined) throw new InternalError({ cause: 'a route of tasks stands without authentication' });
  return { models, clock, owner: req.user.oid, signal: deadlineOf(req) };
}

export function storeOf(req: Request, parts: Parts): TaskStore {
  return new TaskStore(sessionOf(req, parts));
}

/** A parameter of the path, decoded. */
export function parameterOf(req: Request, name: 'id' | 'owner' | 'task'): string {
  return (req.params as Record<string, string>)[name] ?? '';
}

/** The body's members and what they were written in. */
export function inputOf(req: Request): [Members | undefined, BodyKind] {
  return [bodyOf(req), req.bodyKind ?? 'json'];
}

export async function sendTask(req: Request, res: Response, status: 200 | 201, task: TaskState): Promise<void> {
  const isNew = status === 201;
  const headers = isNew ? { Location: referenceToTask(req.receivedPath, task._id.toHexString()) } : {};
  await sendJson(req, res, status, toTask(task), { etag: tagOf(task), headers });
}
