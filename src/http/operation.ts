/**
 * An operation is declared once: restify's routes, HEAD, OPTIONS and `Allow`, the list at `/` and the API document follow
 * from the list of declarations. A handler takes what was read and returns an answer; it writes nothing.
 */
import type { Request, Response, Server } from 'restify';
import {
  InternalError,
  InvalidContentError,
  MethodNotAllowedError,
  NotFoundError,
  PayloadTooLargeError,
  type ProblemClass,
} from '../errors.ts';
import { type Answer, conditional } from './answer.ts';
import type { BodyOptions } from './body.ts';
import { allowedMethods, lookUp } from './cors.ts';
import { splitTarget } from './guard.ts';
import type { BodyKind } from './mediaType.ts';
import type { Problems } from './problem.ts';
import { type Caller, isObject, type Members, type Step } from './request.ts';
import { send } from './respond.ts';
import type { AnswerSchema, Component, Example, HeaderName, Parameter, Schema } from './schema.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

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

/** What stands in front of an operation, with the problems and headers that it can answer with. */
export interface Guard {
  readonly steps: readonly Step[];
  /** The scope that the operation needs. Apart, since each operation of a batch asks for its own. */
  readonly scope?: Step;
  /** What its steps refuse in the query and the body: for a request inside another one. */
  readonly check?: (read: Pick<Call, 'query' | 'body'>) => void;
  /** Takes a request from the caller's share once more. */
  readonly charge?: Step;
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

/** How a body that is described so is read. */
export type ReadBody = (
  described: Pick<Body, 'description' | 'isRequired' | 'content'>,
  options?: Partial<BodyOptions>,
) => Body;

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
  /** Names the request in the logs. */
  readonly requestId: string;
  readonly body: Members | undefined;
  readonly bodyKind: BodyKind;
  /** Who calls. @throws when no guard has said so. */
  readonly caller: Caller;
  /** Ends what the store is asked when the request's time is over. */
  readonly signal: AbortSignal;
  /** Gives the request its whole time again: for work that is large, but gets on. */
  readonly extend: () => void;
  /** Does another operation for the same caller, and answers as if it had been sent alone; never throws. */
  readonly inner: (request: InnerRequest) => Promise<Answer>;
  /** Takes a request from the caller's share once more. @throws {TooManyRequestsError} */
  readonly charge: () => Promise<void>;
}

/** A request inside another one. */
export interface InnerRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Call['headers'];
  /** A JSON value; undefined: none. */
  readonly body: unknown;
}

/** What ends a request's work when it takes too long. */
interface RequestTime {
  signalOf(req: Request): AbortSignal;
  /** The request is answered. */
  end(req: Request): void;
  /** Time of its own for a request inside another one. */
  begin(): { signal: AbortSignal; extend: () => void; end: () => void };
  /** Gives the request its whole time again. */
  extend(req: Request): void;
}

export interface MountOptions {
  time: RequestTime;
  problems: Problems;
  /** Bytes that the body of a request inside another one may have. */
  maxInnerBytes: number;
}

/** Mounts the operations: one handler each, since every further one costs restify a turn of the event loop. */
export function mountOperations(server: Server, operations: readonly Operation[], options: MountOptions): void {
  const mounted = new Mounted(server, operations, options);
  for (const operation of operations) {
    const { method, path, name } = operation;
    const handler = mounted.handlerOf(operation);
    server[RESTIFY[method]]({ path, name }, handler);
    // A name of its own: restify makes a repeated one unique with random characters, new at each start.
    if (method === 'GET') server.head({ path, name: headName(name) }, handler);
  }
}

const RESTIFY = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'del' } as const;

export function headName(name: string): string {
  return name.replace(/List|Get/, 'Head');
}

/** Runs the handler and applies the conditions of a GET to what it answers. */
async function perform(operation: Operation, call: Call): Promise<Answer> {
  const answer = await operation.handle(call);
  return operation.method === 'GET' ? conditional(call.headers, answer) : answer;
}

class Mounted {
  readonly options: MountOptions;
  readonly #server: Server;
  /** By the names of their routes. */
  readonly #byName: ReadonlyMap<string, Operation>;

  constructor(server: Server, operations: readonly Operation[], options: MountOptions) {
    this.#server = server;
    this.options = options;
    this.#byName = new Map(operations.flatMap((one) => [[one.name, one] as const, [headName(one.name), one] as const]));
  }

  handlerOf(operation: Operation): (req: Request, res: Response) => Promise<void> {
    const { guard, body } = operation;
    const steps = [...guard.steps, ...(guard.scope === undefined ? [] : [guard.scope]), ...(body?.steps ?? [])];
    const { time, problems } = this.options;
    return async (req, res) => {
      try {
        for (const step of steps) {
          const wait = step(req, res);
          if (wait !== undefined) await wait;
        }
        await send(req, res, await perform(operation, new HttpCall(req, res, operation, this)));
      } catch (error) {
        // Answered here and not by restify, whose way to its listeners costs as much again as the answer.
        problems.answer(error, req, res);
      } finally {
        time.end(req);
      }
    };
  }

  /** @throws {NotFoundError | MethodNotAllowedError} */
  find(method: string, path: string, res: Response): { operation: Operation; params: Record<string, string> } {
    const found = lookUp(this.#server, method, path, res);
    const operation = this.#byName.get(found?.name ?? '');
    if (found !== undefined && operation !== undefined) return { operation, params: found.params };
    const allow = allowedMethods(this.#server, res, path);
    throw allow === '' ? new NotFoundError() : new MethodNotAllowedError(allow);
  }
}

/** A call that came over HTTP. */
class HttpCall implements Call {
  readonly #req: Request;
  readonly #res: Response;
  readonly #operation: Operation;
  readonly #mounted: Mounted;

  constructor(req: Request, res: Response, operation: Operation, mounted: Mounted) {
    this.#req = req;
    this.#res = res;
    this.#operation = operation;
    this.#mounted = mounted;
  }

  get method(): string {
    return this.#req.method ?? '';
  }

  get path(): string {
    return this.#req.getPath();
  }

  get receivedPath(): string {
    return this.#req.receivedPath;
  }

  get params(): Record<string, string> {
    return this.#req.params as Record<string, string>;
  }

  get query(): string {
    return this.#req.getQuery();
  }

  get headers(): Request['headers'] {
    return this.#req.headers;
  }

  get requestId(): string {
    return this.#req.requestId;
  }

  get body(): Members | undefined {
    return this.#req.body as Members | undefined;
  }

  get bodyKind(): BodyKind {
    return this.#req.bodyKind ?? 'json';
  }

  get caller(): Caller {
    const { user } = this.#req;
    if (user === undefined) throw new InternalError({ cause: 'an operation of somebody stands without a guard' });
    return user;
  }

  get signal(): AbortSignal {
    return this.#mounted.options.time.signalOf(this.#req);
  }

  readonly extend = (): void => {
    this.#mounted.options.time.extend(this.#req);
  };

  readonly charge = async (): Promise<void> => {
    await this.#operation.guard.charge?.(this.#req, this.#res);
  };

  readonly inner = async (request: InnerRequest): Promise<Answer> => {
    const { time, problems } = this.#mounted.options;
    const { signal, extend, end } = time.begin();
    try {
      const { method, headers } = request;
      const { path, receivedPath, query } = splitTarget(request.target);
      const { operation, params } = this.#mounted.find(method, path, this.#res);
      await operation.guard.scope?.(this.#req, this.#res);
      const body = operation.body === undefined ? undefined : this.#membersOf(request.body);
      operation.guard.check?.({ query, body });
      const { caller, requestId, charge, inner } = this;
      const read = { method, path, receivedPath, params, query, headers, body, bodyKind: 'json' as const };
      return await perform(operation, { ...read, caller, requestId, signal, extend, charge, inner });
    } catch (error) {
      return problems.answerToInner(error, this.#req);
    } finally {
      end();
    }
  };

  /** @throws what the body of a request inside this one would be refused with alone. */
  #membersOf(body: unknown): Members | undefined {
    if (body === undefined) return undefined;
    const { maxInnerBytes } = this.#mounted.options;
    // No part is larger than the whole, so most need not be written out again to be measured.
    const mayBeLarge = (this.#req.bodyBytes?.length ?? 0) > maxInnerBytes;
    if (mayBeLarge && Buffer.byteLength(JSON.stringify(body)) > maxInnerBytes) {
      throw new PayloadTooLargeError(maxInnerBytes);
    }
    if (isObject(body)) return body;
    throw new InvalidContentError('the body must be a JSON object');
  }
}
