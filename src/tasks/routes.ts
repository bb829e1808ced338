import type { Connection } from 'mongoose';
import type { Server } from 'restify';
import type { Clock } from '../clock.ts';
import { changesHandler } from './changesRoute.ts';
import { collectionHandlers } from './collection.ts';
import type { Parts } from './context.ts';
import { mountFirstClients, type Gates } from './firstClients.ts';
import { DEFAULT_LIMIT } from './listing.ts';
import { taskModels } from './model.ts';
import { onlyOwn } from './ownSegment.ts';
import { singleHandlers } from './single.ts';

const ALL = '/api/tasks';
// The router takes a path as it is before any parameter.
const CHANGES = '/api/tasks/changes';
// The router tries a parameter with a pattern first, so an id is an id and never an owner.
const ONE = '/api/tasks/:id([0-9a-fA-F]{24})';
const OWN = '/api/tasks/:owner';
const NAMED = '/api/tasks/:owner/:task';

export interface TaskRoutes extends Gates {
  /** The models are made on it, which is also what makes their collections and indexes known. */
  connection: Connection;
  clock: Clock;
}

/** Mounts everything that belongs to tasks. */
export function mountTasks(server: Server, { connection, clock, ...gates }: TaskRoutes): void {
  const parts = { models: taskModels(connection), clock };
  mountCollection(server, parts, gates);
  mountSingle(server, parts, gates);
  mountFirstClients(server, parts, gates);
}

function mountCollection(server: Server, parts: Parts, { read, write, readBody }: Gates): void {
  const tasks = collectionHandlers({ ...parts, defaultLimit: DEFAULT_LIMIT, canRemoveAll: true });
  const body = readBody();

  server.get({ path: ALL, name: 'ListTasks' }, read, tasks.list);
  server.head({ path: ALL, name: 'HeadTasks' }, read, tasks.list);
  server.post({ path: ALL, name: 'CreateTask' }, write, body, tasks.create);
  server.del({ path: ALL, name: 'DeleteTasks' }, write, body, tasks.removeMany);

  const changes = changesHandler(parts);
  server.get({ path: CHANGES, name: 'ListChanges' }, read, changes);
  server.head({ path: CHANGES, name: 'HeadChanges' }, read, changes);

  server.get({ path: OWN, name: 'ListOwnTasks' }, read, onlyOwn, tasks.list);
  server.head({ path: OWN, name: 'HeadOwnTasks' }, read, onlyOwn, tasks.list);
  server.put({ path: OWN, name: 'UpdateOwnTasks' }, write, onlyOwn, body, tasks.update);
  server.del({ path: OWN, name: 'DeleteOwnTasks' }, write, onlyOwn, body, tasks.removeMany);

  server.post({ path: NAMED, name: 'CreateNamedTask' }, write, onlyOwn, body, tasks.createNamed);
  server.del({ path: NAMED, name: 'DeleteNamedTask' }, write, onlyOwn, body, tasks.removeNamed);
}

function mountSingle(server: Server, parts: Parts, { read, write, readBody }: Gates): void {
  const task = singleHandlers(parts);
  const body = readBody();

  server.get({ path: ONE, name: 'GetTask' }, read, task.get);
  server.head({ path: ONE, name: 'HeadTask' }, read, task.get);
  server.put({ path: ONE, name: 'ReplaceTask' }, write, body, task.replace);
  server.patch({ path: ONE, name: 'PatchTask' }, write, body, task.patch);
  server.del({ path: ONE, name: 'DeleteTask' }, write, body, task.remove);
}
