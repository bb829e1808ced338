import type { Request, Response } from 'restify';
import { readQuery } from '../http/query.ts';
import { sendJson } from '../http/respond.ts';
import { ChangesFeed } from './changes.ts';
import { sessionOf, type Parts } from './context.ts';
import { MAX_LIMIT, readLimit } from './listing.ts';
import { toTask } from './view.ts';

/** GET /api/tasks/changes: what an app that works offline asks for when it is back. */
export function changesHandler(parts: Parts): (req: Request, res: Response) => Promise<void> {
  return async function listChanges(req, res): Promise<void> {
    const { since, limit } = readQuery(req, ['since', 'limit']);
    const pageSize = readLimit(limit, MAX_LIMIT);
    const changes = await new ChangesFeed(sessionOf(req, parts)).read(since, pageSize);
    await sendJson(req, res, 200, {
      changed: changes.changed.map(toTask),
      removed: changes.removed.map((id) => id.toHexString()),
      next: changes.next,
      more: changes.hasMore,
    });
  };
}
