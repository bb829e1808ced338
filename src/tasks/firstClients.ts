/**
 * The original iOS and Android apps call `/tasks` and nothing else. They delete by text, read the list as one bare array,
 * cannot page, and know nothing of errors: iOS crashes on a JSON object where it expects the list. So all that is
 * special for them is here, over the same handlers as everybody's.
 */
import type { RequestHandler, Server } from 'restify';
import type { BodyOptions } from '../http/body.ts';
import { collectionHandlers } from './collection.ts';
import type { Parts } from './context.ts';

// These clients show what comes in the first answer, and cannot ask for more.
const DEFAULT_LIMIT = 1000;

export interface Gates {
  /** What stands in front of a route that reads. */
  read: RequestHandler[];
  write: RequestHandler[];
  /** What reads a body, and looks at what came in it. */
  readBody: (options?: Omit<BodyOptions, 'maxBytes'>) => RequestHandler[];
}

/** Whether errors on this path must be `text/plain`. */
export function isFirstClientPath(path: string): boolean {
  return /^\/+tasks(?:\/|$)/.test(path);
}

export function mountFirstClients(server: Server, parts: Parts, { read, write, readBody }: Gates): void {
  const tasks = collectionHandlers({ ...parts, defaultLimit: DEFAULT_LIMIT, canRemoveAll: false });
  // The Android app writes the low bytes of its characters, whatever it calls them.
  const body = readBody({ isLatin1Accepted: true });

  server.get({ path: '/tasks', name: 'FirstClientsListTasks' }, read, tasks.list);
  server.head({ path: '/tasks', name: 'FirstClientsHeadTasks' }, read, tasks.list);
  server.post({ path: '/tasks', name: 'FirstClientsCreateTask' }, write, body, tasks.create);
  server.del({ path: '/tasks', name: 'FirstClientsDeleteTasks' }, write, body, tasks.removeMany);
}
