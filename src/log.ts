import './http/request.ts';
import bunyan from 'bunyan';
import type { Request, Response, Route } from 'restify';
import sonicBoom from 'sonic-boom';
import type { LogLevel } from './config.ts';
import { ApiError } from './errors.ts';

export type Logger = bunyan;

/** Takes whole lines. */
export interface LogOutput {
  write(line: string): void;
}

/** Writes one JSON object per line to the output. */
export function createLog(level: LogLevel, output: LogOutput): Logger {
  const stream = output as NodeJS.WritableStream;
  return bunyan.createLogger({ name: 'tasks-api', level, stream, serializers: { err: serializeError } });
}

/** Characters written at once: otherwise each request's line costs a system call. */
const BUFFER_CHARS = 4_096;
/** Milliseconds that a line may wait for others. */
const LINE_MS = 20;

export interface BufferedOutput extends LogOutput {
  /** Writes what is buffered. Call it last: then only a kill can lose lines. */
  flush(): void;
}

/**
 * Lines for a file descriptor, several per write, in order. A slow reader holds up the writer, so that nothing piles up here.
 *
 * @param onBroken called when nobody reads any longer.
 */
export function bufferOutput(fd: number, onBroken: (error: Error) => void): BufferedOutput {
  const output = new sonicBoom.SonicBoom({ fd, sync: true, minLength: BUFFER_CHARS });
  output.on('error', onBroken);
  let timer: NodeJS.Timeout | undefined;
  const attempt = (write: () => void): void => {
    try {
      write();
    } catch (error) {
      onBroken(error as Error);
    }
  };
  return {
    flush() {
      attempt(() => {
        output.flushSync();
      });
    },
    write(line) {
      output.write(line);
      // Not `flushSync`, which waits for the disk.
      timer ??= setTimeout(() => {
        timer = undefined;
        attempt(() => {
          output.flush();
        });
      }, LINE_MS).unref();
    },
  };
}

/** What the caller was told may quote a task's text; what an operator needs is in the cause. */
function serializeError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return bunyan.stdSerializers.err(error);
  const { cause } = error as Error;
  return { code, cause: cause === undefined ? undefined : serializeError(cause) };
}

/**
 * For `server.on('after')`: the one line per request. It contains no body and, in production, no path, since both may contain
 * a task's text.
 */
export function logRequest(req: Request, res: Response, route: Route | undefined, isProduction: boolean): void {
  const code = codeOf(req.rejection ?? res.err);
  req.log.info(
    {
      requestId: req.requestId,
      method: req.method,
      route: route?.name ?? 'none',
      ...(isProduction ? {} : { path: safePath(req.getPath(), route) }),
      status: res.statusCode,
      ...(code === undefined ? {} : { code }),
      ms: elapsedMs(req),
      ...(req.user === undefined ? {} : { user: req.user.oid }),
    },
    'handled',
  );
}

/** The `code` of an error that is meant for the client. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof ApiError) return error.code;
  // Restify's own, for an unknown path or method.
  const { body } = (error ?? {}) as { body?: { code?: unknown } };
  return typeof body?.code === 'string' ? body.code : undefined;
}

const ID = /^[0-9a-f]{24}$/i;

/**
 * For developing: the path with an ellipsis in the place of whatever may be a text, a token or somebody's id. Of a path that leads
 * nowhere, what may be a slip in the name of a resource is left: texts come after it.
 */
function safePath(path: string, route: Route | undefined): string {
  const pattern = typeof route?.path === 'string' ? route.path.split('/') : undefined;
  const segments = path.split('/');
  const nameAt = segments[1] === 'api' ? 2 : 1;
  return segments
    .map((segment, index) => {
      const isName =
        pattern === undefined ? index <= nameAt && /^[a-z.-]{1,20}$/i.test(segment) : pattern[index] === segment;
      return segment === '' || isName || ID.test(segment) ? segment : '…';
    })
    .join('/');
}

/** Milliseconds since the request began, to a thousandth. */
export function elapsedMs(req: Request): number {
  return Math.round(performance.now() * 1000 - req.startedAt * 1000) / 1000;
}
