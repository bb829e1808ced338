/** What this application keeps on a restify request, in one place. */
import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'restify';
import type { ApiError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { BodyKind } from './body.ts';

declare module 'restify' {
  interface Request {
    /** Identifies the request in the answer and in the log: the caller's X-Request-Id if it is well formed, else a new one. */
    requestId: string;
    /** `performance.now()` when the request was first seen, in milliseconds. */
    startedAt: number;
    /** Who calls, once `authenticate` has run. */
    user?: Caller;
    /** Why the request is refused before it reaches a route. */
    rejection?: ApiError;
    /** The path with the slashes that the client sent; `req.getPath()` is without doubled and trailing ones. */
    receivedPath: string;
    bodyKind?: BodyKind;
  }

  interface Server {
    /** Runs before restify touches the request; returning false ends it there. */
    first(handler: (req: Request, res: Response) => boolean | undefined): Server;
  }

  interface Response {
    /** The error that this request was answered with, kept by restify. */
    err?: Error;
    /** What restify itself logs with. */
    log: Logger;
    /** Restify's note that it need not answer. */
    _sent?: boolean;
  }
}

/** A step on a request's way to an operation: lets it pass or throws. */
export type Step = (req: Request, res: Response) => Promise<void> | void;

const WELL_FORMED_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** The caller's id if it can safely be logged and echoed, else a new one. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && WELL_FORMED_ID.test(header) ? header : randomUUID();
}

/** Adds the request's id to what is logged about it. Made on demand, which is rare. */
export function logOf(req: Request): Logger {
  return req.log.child({ requestId: req.requestId }, true);
}

/** How many headers of that (lower case) name came; node:http keeps only one of those that must not be repeated. */
export function countHeaders({ rawHeaders }: Pick<Request, 'rawHeaders'>, name: string): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] ?? '';
    if (header.length === name.length && header.toLowerCase() === name) count += 1;
  }
  return count;
}

/** Who calls. */
export interface Caller {
  /**
   * The owner id of everything that belongs to them: the user's object id, or the one that they had before they were moved
   * to External ID.
   */
  readonly oid: string;
  readonly name: string | undefined;
}

/** Members of a JSON object or a form. */
export type Members = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
