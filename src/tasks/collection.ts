/** The handlers of a user's tasks as a whole, and of tasks addressed by their text. */
import type { Request, Response } from 'restify';
import { MissingTaskError, PreconditionFailedError, TaskNotFoundError } from '../errors.ts';
import { readConditions } from '../http/conditional.ts';
import { readQuery } from '../http/query.ts';
import { sendBody, sendEmpty, sendJson } from '../http/respond.ts';
import { inputOf, parameterOf, sendTask, sessionOf, storeOf, type Parts } from './context.ts';
import { createTask } from './creations.ts';
import { isTaskId } from './document.ts';
import { checkText, readSelection, readTask, readTaskNamed, readUpdate } from './input.ts';
import { cursorBehind, LIST_PARAMETERS, readListing } from './listing.ts';
import { jsonPage } from './page.ts';
import { referenceToNext } from './reference.ts';
import { toTask } from './view.ts';

type Handler = (req: Request, res: Response) => Promise<void>;
type Name = 'list' | 'create' | 'createNamed' | 'removeMany' | 'update' | 'removeNamed';

export interface CollectionOptions extends Parts {
  /** Tasks in a page when the client does not say how many. */
  defaultLimit: number;
  /** Whether a DELETE that names no text and sends nothing at all means all tasks. */
  canRemoveAll: boolean;
}

export function collectionHandlers(options: CollectionOptions): Record<Name, Handler> {
  /** GET /api/tasks */
  async function listTasks(req: Request, res: Response): Promise<void> {
    const listing = readListing(readQuery(req, LIST_PARAMETERS), options.defaultLimit);
    const { tasks, hasMore } = await storeOf(req, options).list(listing);
    const { json, count } = jsonPage(tasks);
    const last = tasks[count - 1];
    const next =
      (hasMore || count < tasks.length) && last
        ? referenceToNext(req.getQuery(), cursorBehind(last, listing.sort))
        : undefined;
    const headers = next === undefined ? {} : { Link: `<${next}>; rel="next"` };
    await sendBody(req, res, 200, json, { etag: 'hash', headers });
  }

  /** POST /api/tasks */
  async function create(req: Request, res: Response): Promise<void> {
    const fields = readTask(...inputOf(req));
    await sendTask(req, res, 201, await createTask(req, sessionOf(req, options), fields));
  }

  /** POST /api/tasks/:owner/:task */
  async function createNamed(req: Request, res: Response): Promise<void> {
    const fields = readTaskNamed(parameterOf(req, 'task'), ...inputOf(req));
    await sendTask(req, res, 201, await createTask(req, sessionOf(req, options), fields));
  }

  /** DELETE /api/tasks: the tasks with one text, or all of them when nothing else was said. */
  async function removeTasks(req: Request, res: Response): Promise<void> {
    // An older client with a missing id: what it wanted to delete is one task.
    if (req.receivedPath !== req.getPath()) throw new MissingTaskError();
    refuseTags(req);
    const text = readSelection(inputOf(req)[0] ?? {}, readQuery(req, ['Text', 'task']));
    if (text === undefined && !(options.canRemoveAll && isBare(req))) throw new MissingTaskError();
    const store = storeOf(req, options);
    await (text === undefined ? store.removeAll() : store.removeByText(text));
    sendEmpty(req, res, 204);
  }

  /** PUT /api/tasks/:owner: changes the tasks with the text in the body. */
  async function updateTasks(req: Request, res: Response): Promise<void> {
    refuseTags(req);
    const { text, changes } = readUpdate(...inputOf(req));
    const tasks = await storeOf(req, options).updateByText(text, changes);
    await sendJson(req, res, 200, tasks.map(toTask), { etag: 'hash' });
  }

  /** DELETE /api/tasks/:owner/:task: an id comes before a text. */
  async function removeNamed(req: Request, res: Response): Promise<void> {
    const name = parameterOf(req, 'task');
    const store = storeOf(req, options);
    if (!isTaskId(name) || !(await wasRemoved(store.remove(name, readConditions(req))))) {
      refuseTags(req);
      await store.removeByText(checkText(name));
    }
    sendEmpty(req, res, 204);
  }

  return { list: listTasks, create, createNamed, removeMany: removeTasks, update: updateTasks, removeNamed };
}

/** No body, no query, and no header that tells of a body: alone it means that a proxy has dropped the body. */
function isBare(req: Request): boolean {
  const { headers, url = '' } = req;
  const signs = [headers['content-type'], headers['content-encoding'], headers['transfer-encoding']];
  return req.bodyKind === undefined && !url.includes('?') && signs.every((sign) => sign === undefined);
}

/** Many tasks have no version that a write could compare in one step, so no tag holds for them; `*` does. */
function refuseTags(req: Request): void {
  const { ifMatch, ifNoneMatch } = readConditions(req);
  if ((ifMatch === undefined || ifMatch === '*') && ifNoneMatch === undefined) return;
  throw new PreconditionFailedError('conditions hold for one task: send them to /api/tasks/<id>');
}

async function wasRemoved(removal: Promise<void>): Promise<boolean> {
  try {
    await removal;
    return true;
  } catch (error) {
    if (error instanceof TaskNotFoundError) return false;
    throw error;
  }
}
