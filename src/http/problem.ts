/** The one error path: whatever is thrown becomes application/problem+json (RFC 9457). */
import type { Request, Response, Server } from 'restify';
import { ApiError, InternalError, MethodNotAllowedError, NotFoundError } from '../errors.ts';
import { type Answer, problemAnswer } from './answer.ts';
import { allowedMethods } from './cors.ts';
import { logOf } from './request.ts';
import { sendNow } from './respond.ts';

export interface ProblemOptions {
  /** Paths whose clients cannot read JSON errors get the message as text/plain. */
  isPlainText: (path: string) => boolean;
  /** Errors of a library that mean something to the caller; undefined for all others. */
  translate: (error: unknown) => ApiError | undefined;
  /** Whether a translated error stays until an operator does something about it. */
  needsOperator?: (error: unknown) => boolean;
}

/** How errors are answered. */
export interface Problems {
  /** Answers a request with what was thrown, whatever it is. Neither throws nor waits. */
  answer: (error: unknown, req: Request, res: Response) => void;
  /** The answer to a request inside another one. */
  answerToInner: (error: unknown, req: Request) => Answer;
}

/** Of a server's operations, and of restify itself where none is found. */
export function answerProblems(server: Server, options: ProblemOptions): Problems {
  const answer: Problems['answer'] = (error, req, res) => {
    try {
      const known = toApiError(error, options, () => allowedMethods(server, res, req.getPath()));
      res.err ??= known;
      sendProblem(req, res, known, options);
      logUnexpected(req, error, options);
    } catch (failure) {
      logOf(req).error({ err: failure }, 'could not answer');
      res.destroy();
    }
  };
  server.on('restifyError', (req: Request, res: Response, error: unknown, done: () => void) => {
    answer(req.rejection ?? error, req, res);
    done();
  });
  return {
    answer,
    answerToInner: (error, req) => {
      logUnexpected(req, error, options);
      return problemAnswer(
        toApiError(error, options, () => ''),
        req.requestId,
      );
    },
  };
}

function sendProblem(req: Request, res: Response, error: ApiError, { isPlainText }: ProblemOptions): void {
  if (res.headersSent) return;
  const answer = problemAnswer(error, req.requestId);
  clearRepresentation(res);
  if (!isPlainText(req.getPath())) sendNow(req, res, answer);
  else sendNow(req, res, { ...answer, body: error.message, contentType: 'text/plain; charset=utf-8' });
}

/** A handler may have begun an answer before it failed. */
function clearRepresentation(res: Response): void {
  for (const name of ['ETag', 'Link', 'Location', 'Content-Encoding', 'Content-Length']) res.removeHeader(name);
}

/** What the caller is told of an error, whatever was thrown. */
function toApiError(error: unknown, { translate }: ProblemOptions, allowed: () => string): ApiError {
  if (error instanceof ApiError) return error;
  const statusCode = statusOf(error);
  if (statusCode === 405) return new MethodNotAllowedError(allowed());
  if (statusCode === 404) return new NotFoundError();
  return translate(error) ?? new InternalError({ cause: error });
}

/** The request was cut short by the client; restify's own number for that. */
const CLIENT_GONE = 444;

function logUnexpected(req: Request, error: unknown, options: ProblemOptions): void {
  if (error instanceof ApiError || [404, 405, CLIENT_GONE].includes(statusOf(error) ?? 0)) return;
  const known = options.translate(error);
  const log = logOf(req);
  if (known === undefined) log.error({ err: error }, 'failed');
  else if (options.needsOperator?.(error)) log.error({ err: error, code: known.code }, 'refused');
  else log.warn({ err: error, code: known.code }, 'refused');
}

function statusOf(error: unknown): number | undefined {
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : undefined;
}
