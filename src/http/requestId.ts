import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'restify';
import './request.ts';

const WELL_FORMED = /^[A-Za-z0-9._-]{1,64}$/;

/** The caller's id when it can be logged and echoed without harm, else a fresh one. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && WELL_FORMED.test(header) ? header : randomUUID();
}

/** First of all: names the request, in the answer and for every log line about it. */
export function identifyRequest(req: Request, res: Response): void {
  req.requestId = requestIdFrom(req.headers['x-request-id']);
  res.setHeader('X-Request-Id', req.requestId);
}
