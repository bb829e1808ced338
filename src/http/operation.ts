/**
 * Each operation is declared once: restify's routes, HEAD, OPTIONS and `Allow`, the list at `/` and the API document follow
 * from the declarations. A handler takes what was read and returns an answer; it writes nothing.
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
  /** As in restify, with colons before parameters. */
  readonly path: string;
  readonly guard: Guard;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly isDeprecated?: true;
  /** Errors are text/plain, for clients that cannot read JSON ones. */
  readonly isPlainText?: true;
  /** What it reads from query and headers. */
  readonly parameters?: readonly Component<Parameter>[];
  readonly body?: Body;
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerSchema>>;
  /** What can go wrong besides the problems of its guard and its body. */
  readonly problems?: readonly ProblemClass[];
  readonly handle: (call: Call) => Promise<Answer> | Answer;
}

/** What runs before an operation, with the problems and headers that it can answer with. */
export interface Guard {
  readonly steps: readonly Step[];
  /** The scope that the operation needs. Separate, since each operation of a batch needs its own. */
  readonly scope?: Step;
  /** What its steps refuse in the query and the body, for a request inside another one. */
  readonly check?: (read: Pick<Call, 'query' | 'body'>) => void;
  /** Charges the caller for one more request. */
  readonly charge?: Step;
  readonly problems: readonly ProblemClass[];
  readonly headers: readonly HeaderName[];
  readonly needsToken: boolean;
}

export interface Body {
  readonly description: string;
  readonly isRequired: boolean;
  /** Reads and checks it. */
  readonly steps: readonly Step[];
  readonly problems: readonly ProblemClass[];
  /** By media type; if empty, its content is ignored. */
  readonly content: Readonly<
    Record<string, { schema: Component<Schema> | Schema; examples?: Record<string, Example> }>
  >;
}

/** How a body with this description is read. */
export type ReadBody = (described: Pick<Body, 'description' | 'isRequired' | 'content'>, options?: BodyOptions) => Body;

/** What was read of one request, alone or in a batch. */
export interface Call {
  readonly method: string;
  /** Without doubled and trailing slashes. */
  readonly path: string;
  /** With the slashes that the client sent. */
  readonly receivedPath: string;
  /** Parameters of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Without its question mark. */
  readonly query: string;
  readonly headers: Request['headers'];
  /** Identifies the request in the logs. */
  readonly requestId: string;
  readonly body: Members | undefined;
  readonly bodyKind: BodyKind;
  /** Who calls; only after a guard that authenticates. */
  readonly caller: Caller;
  /** Ends store operations when the request's time, which starts with the first call, is over. */
  readonly signal: () => AbortSignal;
  /** Restarts the request's time, for large work that makes progress. */
  readonly extend: () => void;
  /** Runs another operation for the same caller, and answers as if it had been sent alone; never throws. */
  readonly inner: (request: InnerRequest) => Promise<Answer>;
  /** Charges the caller for one more request. @throws {TooManyRequestsError} */
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
