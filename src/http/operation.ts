/**
 * An operation is declared once: restify's routes, HEAD, OPTIONS and `Allow`, the list at `/` and the API document follow
 * from the list of declarations. A handler takes what was read and returns an answer; it writes nothing.
 */
import type { Request } from 'restify';
import type { ProblemClass } from '../errors.ts';
import type { Answer } from './answer.ts';
import type { BodyKind, BodyOptions } from './body.ts';
import type { Caller, Members, Step } from './request.ts';
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
export type ReadBody = (described: Pick<Body, 'description' | 'isRequired' | 'content'>, options?: BodyOptions) => Body;

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
  /** Who calls: only behind a guard that says so. */
  readonly caller: Caller;
  /** Ends what the store is asked when the request's time is over, which begins with the first call. */
  readonly signal: () => AbortSignal;
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
