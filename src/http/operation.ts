/**
 * An operation is declared once: restify's routes, HEAD, OPTIONS and `Allow`, the list at `/` and the API document follow
 * from the list of declarations. A handler takes what was read and returns an answer; it writes nothing.
 */
import type { Request, Response, Server } from 'restify';
import { InternalError, type ProblemClass } from '../errors.ts';
import { conditional, type Answer } from './answer.ts';
import type { BodyKind } from './mediaType.ts';
import type { Caller, Members } from './request.ts';
import { send } from './respond.ts';
import type { AnswerSchema, Component, Example, HeaderName, Parameter, Schema } from './schema.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Operation {
  /** Also the route's name in logs and metrics, and the `operationId` of the document. */
  readonly name: string;
  readonly method: Method;
  /** As restify has it, parameters with a colon. */
  readonly path: string;
  readonly guard: Guard;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly isDeprecated?: true;
  /** Errors are text/plain, for clients that cannot read JSON ones. */
  readonly isPlainText?: true;
  /** What it reads of query and headers. */
  readonly parameters?: readonly Component<Parameter>[];
  readonly body?: Body;
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerSchema>>;
  /** What can go wrong beyond what its guard and its body bring. */
  readonly problems?: readonly ProblemClass[];
  readonly handle: (call: Call) => Promise<Answer> | Answer;
}

/** Lets a request pass or throws. */
export type Step = (req: Request, res: Response) => Promise<void> | void;

/** What stands in front of an operation, with the problems and headers that it can answer with. */
export interface Guard {
  readonly steps: readonly Step[];
  readonly problems: readonly ProblemClass[];
  readonly headers: readonly HeaderName[];
  readonly needsToken: boolean;
}

export interface Body {
  readonly description: string;
  readonly isRequired: boolean;
  /** Reads it, and lets nothing bad pass. */
  readonly steps: readonly Step[];
  readonly problems: readonly ProblemClass[];
  /** By media type; none: whatever it holds is ignored. */
  readonly content: Readonly<Record<string, { schema: Component<Schema>; examples?: Record<string, Example> }>>;
}

/** What was read of one request, whether it came by itself or in a batch. */
export interface Call {
  readonly method: string;
  /** Without doubled and trailing slashes. */
  readonly path: string;
  /** As the client sent it. */
  readonly receivedPath: string;
  /** Parameters of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Without its question mark. */
  readonly query: string;
  readonly headers: Request['headers'];
  readonly body: Members | undefined;
  readonly bodyKind: BodyKind;
  /** Who calls. @throws when no guard has said so. */
  readonly caller: Caller;
  /** Ends what the store is asked when the request's time is over. */
  readonly signal: AbortSignal;
}

/** What ends a request's work when it takes too long. */
export interface RequestTime {
  signalOf(req: Request): AbortSignal;
  /** The request is answered. */
  end(req: Request): void;
}

/** Mounts the operations: one handler each, since every further one costs restify a turn of the event loop. */
export function mountOperations(server: Server, operations: readonly Operation[], time: RequestTime): void {
  for (const operation of operations) {
    const { method, path, name } = operation;
    const handler = handlerOf(operation, time);
    server[RESTIFY[method]]({ path, name }, handler);
    // A name of its own: restify makes a repeated one unique with random characters, new at each start.
    if (method === 'GET') server.head({ path, name: headName(name) }, handler);
  }
}

const RESTIFY = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'del' } as const;

export function headName(name: string): string {
  return name.replace(/List|Get/, 'Head');
}

function handlerOf(operation: Operation, time: RequestTime) {
  const steps = [...operation.guard.steps, ...(operation.body?.steps ?? [])];
  return async function handle(req: Request, res: Response): Promise<void> {
    for (const step of steps) {
      const wait = step(req, res);
      if (wait !== undefined) await wait;
    }
    try {
      await send(req, res, await perform(operation, callOf(req, time)));
    } finally {
      time.end(req);
    }
  };
}

/** Runs the handler and applies the conditions of a GET to what it answers. */
export async function perform(operation: Operation, call: Call): Promise<Answer> {
  const answer = await operation.handle(call);
  return operation.method === 'GET' ? conditional(call.headers, answer) : answer;
}

function callOf(req: Request, time: RequestTime): Call {
  return {
    method: req.method ?? '',
    path: req.getPath(),
    receivedPath: req.receivedPath,
    params: req.params as Record<string, string>,
    query: req.getQuery(),
    headers: req.headers,
    body: req.body as Members | undefined,
    bodyKind: req.bodyKind ?? 'json',
    get caller() {
      if (req.user === undefined) throw new InternalError({ cause: 'an operation of somebody stands without a guard' });
      return req.user;
    },
    get signal() {
      return time.signalOf(req);
    },
  };
}
