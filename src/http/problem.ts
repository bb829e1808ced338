/** The one error path: anything thrown becomes application/problem+json (RFC 9457). */
import type { Request, Response, Server } from 'restify';
import { ApiError, InternalError, MethodNotAllowedError, NotFoundError } from '../errors.ts';
import { type Answer, problemAnswer } from './answer.ts';
import { allowedMethods } from './mount.ts';
import { logOf } from './request.ts';
import { send } from './respond.ts';

export interface ProblemOptions {
  /** Paths whose clients cannot read JSON errors get the message as text/plain. */
  isPlainText: (path: string) => boolean;
  /** Translates library errors that concern the caller; undefined for all others. */
  translate: (error: unknown) => ApiError | undefined;
  /** Whether a translated error lasts until an operator acts. */
  needsOperator?: (error: unknown) => boolean;
}

/** How errors are answered. */
export interface Problems {
  /** Answers a request with whatever was thrown. Neither throws nor waits. */
  answer: (error: unknown, req: Request, res: Response) => void;
  /** The answer to a request inside another one. */
  answerToInner: (error: unknown, req: Request) => Answer;
}

/** Of a server's operations, and of restify itself where none is found. */
export function answerProblems(server: Server, options: ProblemOptions): Problems {
  const answer: Problems['answer'] = (error, req, res) => {
    try {
      const known = toApiError(error, req, options);
      res.err ??= known;
      if (!res.headersSent) sendProblem(req, res, known, options);
    } catch (failure) {
      logOf(req).error({ err: failure }, 'could not answer');
      res.destroy();
    }
  };
  server.on('restifyError', (req: Request, res: Response, error: unknown, done: () => void) => {
    answer(req.rejection ?? withoutRoute(error, () => allowedMethods(server, req.getPath(), res)), req, res);
    done();
  });
  return {
    answer,
    answerToInner: (error, req) => problemAnswer(toApiError(error, req, options), req.requestId),
  };
}

/** Restify's own errors for an unknown path or method, as ours. */
function withoutRoute(error: unknown, allowed: () => string): unknown {
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  if (error instanceof ApiError || (statusCode !== 404 && statusCode !== 405)) return error;
  return statusCode === 405 ? new MethodNotAllowedError(allowed()) : new NotFoundError();
}

function sendProblem(req: Request, res: Response, error: ApiError, { isPlainText }: ProblemOptions): void {
  const answer = problemAnswer(error, req.requestId);
  const plain = { ...answer, body: error.message, contentType: 'text/plain; charset=utf-8' };
  void send(req, res, isPlainText(req.getPath()) ? plain : answer);
}

/** What the caller is told. Anything that is not meant for them is logged in full. */
function toApiError(error: unknown, req: Request, { translate, needsOperator }: ProblemOptions): ApiError {
  if (error instanceof ApiError) return error;
  const known = translate(error);
  const log = logOf(req);
  if (known === undefined) log.error({ err: error }, 'failed');
  else log[needsOperator?.(error) ? 'error' : 'warn']({ err: error, code: known.code }, 'refused');
  return known ?? new InternalError({ cause: error });
}
