/** Mounts the operations on restify, and passes requests to their handlers: over HTTP, or inside another request. */
import type { Request, Response, Route, Server } from 'restify';
import { InvalidContentError, MethodNotAllowedError, NotFoundError, PayloadTooLargeError } from '../errors.ts';
import { type Answer, conditional } from './answer.ts';
import { MAX_BODY_BYTES } from './body.ts';
import { preflightHeaders } from './cors.ts';
import { splitTarget } from './guard.ts';
import type { Call, InnerRequest, Operation } from './operation.ts';
import type { Problems } from './problem.ts';
import { type Caller, isObject, type Members } from './request.ts';
import { send } from './respond.ts';

/** Ends a request's work when it takes too long. */
interface RequestTime {
  signalOf(req: Request): AbortSignal;
  /** The request is answered. */
  end(req: Request): void;
  /** Separate time for a request inside another one. */
  begin(): { signal: AbortSignal; extend: () => void; end: () => void };
  /** Restarts the request's time. */
  extend(req: Request): void;
}

/** What all operations of a server share. */
export interface Mounting {
  server: Server;
  operations: readonly Operation[];
  time: RequestTime;
  problems: Problems;
}

const RESTIFY = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'del' } as const;

/** Mounts the operations: one handler each, since restify spends a turn of the event loop on every further one. */
export function mountOperations(mounting: Mounting): void {
  const { server, operations } = mounting;
  for (const operation of operations) {
    const { method, path, name } = operation;
    const handler = handlerOf(operation, mounting);
    server[RESTIFY[method]]({ path, name }, handler);
    // A different name: restify makes a repeated one unique with random characters, new at each start.
    if (method === 'GET') server.head({ path, name: headName(name) }, handler);
  }
  for (const path of new Set(operations.map((one) => one.path))) {
    server.opts({ path, name: `Options ${path}` }, async (req: Request, res: Response): Promise<void> => {
      const allow = allowedMethods(server, req.getPath(), res);
      await send(req, res, { status: 204, headers: { Allow: allow, ...preflightHeaders(req, res, allow) } });
    });
  }
}

export function headName(name: string): string {
  return name.replace(/List|Get/, 'Head');
}

/**
 * The methods of a path: those of the one route path that OPTIONS finds. Restify looks up each method separately, and so
 * also counts those of a parameter beside a fixed path.
 */
export function allowedMethods(server: Server, pathname: string, res: Response): string {
  const path = lookUp(server, 'OPTIONS', pathname, res).route?.path;
  const routes = Object.values(server.router.getRoutes()).filter((route) => route.path === path);
  return routes.map(({ method }) => method).join(', ');
}

interface Found {
  route?: Route;
  /** Parameters of the path. */
  params: Record<string, string>;
}

/** Where a method at a path leads. */
function lookUp(server: Server, method: string, pathname: string, res: Response): Found {
  const asked: Found = { params: {} };
  server.router.lookup(Object.assign(asked, { method, getUrl: () => ({ pathname }) }) as unknown as Request, res);
  return asked;
}

function handlerOf(operation: Operation, mounting: Mounting): (req: Request, res: Response) => Promise<void> {
  const { guard, body } = operation;
  const { time, problems } = mounting;
  const steps = [...guard.steps, ...(guard.scope === undefined ? [] : [guard.scope]), ...(body?.steps ?? [])];
  return async (req, res) => {
    try {
      for (const step of steps) {
        const wait = step(req, res);
        if (wait !== undefined) await wait;
      }
      await send(req, res, await perform(operation, callOf(req, res, operation, mounting)));
    } catch (error) {
      // Answered here and not by restify, whose way to its listeners would double the cost.
      problems.answer(error, req, res);
    } finally {
      time.end(req);
    }
  };
}

/** Runs the handler and applies the conditions of a GET to what it answers. */
async function perform(operation: Operation, call: Call): Promise<Answer> {
  const answer = await operation.handle(call);
  return operation.method === 'GET' ? conditional(call.headers, answer) : answer;
}

/** A call that came over HTTP. */
function callOf(req: Request, res: Response, { guard }: Operation, mounting: Mounting): Call {
  const call: Call = {
    method: req.method ?? '',
    path: req.getPath(),
    receivedPath: req.receivedPath,
    params: req.params as Record<string, string>,
    query: req.getQuery(),
    headers: req.headers,
    requestId: req.requestId,
    body: req.body as Members | undefined,
    bodyKind: req.bodyKind ?? 'json',
    // What is open to all has no caller, and does not ask for one.
    caller: req.user as Caller,
    signal: () => mounting.time.signalOf(req),
    extend: () => {
      mounting.time.extend(req);
    },
    inner: (request) => answerInner(request, call, { req, res }, mounting),
    charge: async () => {
      await guard.charge?.(req, res);
    },
  };
  return call;
}

async function answerInner(
  { method, target, headers, body: given }: InnerRequest,
  outer: Call,
  { req, res }: { req: Request; res: Response },
  { server, operations, time, problems }: Mounting,
): Promise<Answer> {
  const { signal, extend, end } = time.begin();
  try {
    const { path, receivedPath, query } = splitTarget(target);
    const { route, params } = lookUp(server, method, path, res);
    const operation = operations.find((one) => route?.name === one.name || route?.name === headName(one.name));
    if (operation === undefined) throw wrongTarget(allowedMethods(server, path, res));
    await operation.guard.scope?.(req, res);
    const body = operation.body === undefined ? undefined : membersOf(given);
    operation.guard.check?.({ query, body });
    const read = { method, path, receivedPath, params, query, headers, body };
    return await perform(operation, { ...outer, ...read, bodyKind: 'json', signal: () => signal, extend });
  } catch (error) {
    return problems.answerToInner(error, req);
  } finally {
    end();
  }
}

function wrongTarget(allow: string): NotFoundError | MethodNotAllowedError {
  return allow === '' ? new NotFoundError() : new MethodNotAllowedError(allow);
}

/** @throws the error that the body of an inner request would get alone. */
function membersOf(body: unknown): Members | undefined {
  if (body === undefined) return undefined;
  if (isTooLarge(body)) throw new PayloadTooLargeError(MAX_BODY_BYTES);
  if (isObject(body)) return body;
  throw new InvalidContentError('the body must be a JSON object');
}

function isTooLarge(body: unknown): boolean {
  try {
    return Buffer.byteLength(JSON.stringify(body)) > MAX_BODY_BYTES;
  } catch {
    // Nested too deeply to be written. No member that an operation reads is; and the outer body has a limit of its own.
    return false;
  }
}
