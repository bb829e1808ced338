/** The handlers of one task, `/api/tasks/:id`. */
import type { Request, Response } from 'restify';
import { InvalidContentError } from '../errors.ts';
import { readConditions } from '../http/conditional.ts';
import { sendEmpty } from '../http/respond.ts';
import { inputOf, parameterOf, sendTask, storeOf, type Parts } from './context.ts';
import { readPatch, readTask } from './input.ts';

type Handler = (req: Request, res: Response) => Promise<void>;

export function singleHandlers(parts: Parts): Record<'get' | 'replace' | 'patch' | 'remove', Handler> {
  /** GET /api/tasks/:id */
  async function getTask(req: Request, res: Response): Promise<void> {
    const task = await storeOf(req, parts).get(parameterOf(req, 'id'));
    await sendTask(req, res, 200, task);
  }

  /** PUT /api/tasks/:id: replaces the task, or creates it with this id. */
  async function replaceTask(req: Request, res: Response): Promise<void> {
    const fields = readTask(...inputOf(req));
    const { task, isNew } = await storeOf(req, parts).replace(parameterOf(req, 'id'), fields, readConditions(req));
    await sendTask(req, res, isNew ? 201 : 200, task);
  }

  /** PATCH /api/tasks/:id: a JSON merge patch (RFC 7396). */
  async function patchTask(req: Request, res: Response): Promise<void> {
    const [members] = inputOf(req);
    if (members === undefined) throw new InvalidContentError('a patch is a JSON object: send what changes');
    const task = await storeOf(req, parts).patch(parameterOf(req, 'id'), readPatch(members), readConditions(req));
    await sendTask(req, res, 200, task);
  }

  /** DELETE /api/tasks/:id */
  async function removeTask(req: Request, res: Response): Promise<void> {
    await storeOf(req, parts).remove(parameterOf(req, 'id'), readConditions(req));
    sendEmpty(req, res, 204);
  }

  return { get: getTask, replace: replaceTask, patch: patchTask, remove: removeTask };
}
