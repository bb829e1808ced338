import bunyan from 'bunyan';
import type { Request, Response, Route } from 'restify';
import type { LogLevel } from './config.ts';
import { ApiError } from './errors.ts';
import './http/request.ts';

export type Logger = bunyan;

/** One JSON object a line on the stream given. */
export function createLog(level: LogLevel, stream: NodeJS.WritableStream): Logger {
  return bunyan.createLogger({ name: 'tasks-api', level, stream, serializers: { err: serializeError } });
}

/** What the caller was told may quote the request, and with it a task's text; what an operator needs is in the cause. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof ApiError)) return bunyan.stdSerializers.err(error);
  return { code: error.code, cause: error.cause === undefined ? undefined : serializeError(error.cause) };
}

/** For `server.on('after')`: the one line a request. Neither the path nor a body is in it: both may hold a task's text. */
export function logRequest(req: Request, res: Response, route: Route | undefined): void {
  req.log.info(
    {
      method: req.method,
      route: route?.name ?? 'none',
      status: res.statusCode,
      ms: elapsedMs(req),
      ...(req.user === undefined ? {} : { user: req.user.oid }),
    },
    'handled',
  );
}

/** Milliseconds since the request began, to a thousandth. */
export function elapsedMs(req: Request): number {
  return Math.round(performance.now() * 1000 - req.startedAt * 1000) / 1000;
}
