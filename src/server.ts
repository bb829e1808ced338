import type { Server as HttpServer } from 'node:http';
import type { Connection } from 'mongoose';
import restify, { type Request, type RequestHandler, type Response, type Route, type Server } from 'restify';
import type { Authentication } from './auth/index.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { isRefusal, toStoreError } from './database/errors.ts';
import { mountHello } from './hello.ts';
import { acceptsJson } from './http/accept.ts';
import { readBody } from './http/body.ts';
import { Connections } from './http/connections.ts';
import { commonHeaders, corsHeaders, mountOptions } from './http/cors.ts';
import { createDrain, type Drain } from './http/drain.ts';
import { guard, refuseRejected } from './http/guard.ts';
import { DEFAULT_LIMITS, limit, type Limits } from './http/limits.ts';
import { answerParserErrors } from './http/parserErrors.ts';
import { answerProblems } from './http/problem.ts';
import { identifyRequest } from './http/requestId.ts';
import { createThrottle } from './http/throttle.ts';
import { logRequest, type Logger } from './log.ts';
import { mountOps } from './ops/index.ts';
import type { Metrics } from './ops/metrics.ts';
import { isFirstClientPath } from './tasks/firstClients.ts';
import { mountTasks } from './tasks/routes.ts';
import { createRegistration } from './people/registration.ts';

export interface Parts {
  config: Config;
  log: Logger;
  clock: Clock;
  /** `isReady` says whether the store answers now; asked at every `/readyz`, so it must not wait. */
  database: { connection: Connection; isReady(): boolean };
  authentication: Authentication;
  metrics: Metrics;
  limits?: Partial<Limits>;
}

export interface App {
  server: Server;
  drain: Drain;
}

/** Bytes that a body may have. */
const MAX_BODY_BYTES = 64 * 1024;
/** Characters of a path parameter: a text of 4,096, each of which may take nine when percent-encoded. */
const MAX_PARAMETER_CHARS = 40_000;

/** The pipeline, in the order in which a request meets it. Opens no socket and no database. */
export function createServer(parts: Parts): App {
  const { config, log, clock, database, authentication, metrics } = parts;
  const server = restify.createServer({
    name: '',
    log,
    noWriteContinue: true,
    maxParamLength: MAX_PARAMETER_CHARS,
  });
  const httpServer = server.server as HttpServer;
  guard(server, httpServer);
  silenceResponses(server, log);
  const limits = { ...DEFAULT_LIMITS, ...parts.limits };
  limit(httpServer, limits);
  answerParserErrors(httpServer, log, corsHeaders(config.corsOrigins));
  const drain = createDrain(httpServer, new Connections(httpServer, limits));

  server.pre(
    identifyRequest,
    commonHeaders(config.corsOrigins, (path) => path === '/metrics'),
    refuseRejected,
  );
  mountOps(server, {
    metrics,
    readiness: {
      store: () => database.isReady(),
      keys: () => authentication.keys.isReady(),
      draining: () => drain.isDraining,
    },
  });
  const { read, write } = signedIn(parts);
  mountHello(server, read);
  mountTasks(server, {
    connection: database.connection,
    clock,
    read,
    write,
    readBody: (options) => [readBody({ ...options, maxBytes: MAX_BODY_BYTES }), authentication.refuseBodyToken],
  });
  mountOptions(server);

  answerProblems(server, { isPlainText: isFirstClientPath, translate: toStoreError, needsOperator: isRefusal });
  server.on('after', (req: Request, res: Response, route: Route | undefined) => {
    logRequest(req, res, route);
    metrics.observeRequest(req, res, route);
  });
  return { server, drain };
}

/** At its lower levels restify logs whole responses, with the requests they belong to: texts and tokens. */
function silenceResponses(server: Server, log: Logger): void {
  const quiet = log.child({ component: 'restify' });
  quiet.level('warn');
  server.first((_req, res) => {
    res.log = quiet;
    return undefined;
  });
}

/** What stands in front of everything that belongs to somebody. */
function signedIn({
  config,
  clock,
  database,
  authentication,
  metrics,
}: Parts): Record<'read' | 'write', RequestHandler[]> {
  const throttle = createThrottle({
    rate: config.throttleRate,
    burst: config.throttleBurst,
    trustProxy: config.trustProxy,
    clock,
    onThrottled: metrics.countThrottled,
  });
  const known = [
    acceptsJson,
    throttle.refuseSpentAddress,
    throttle.around(authentication.authenticate),
    throttle.chargeUser,
    createRegistration({ connection: database.connection, clock, autoRegister: config.autoRegister }),
  ];
  return {
    read: [...known, authentication.requireScope(config.readScope)],
    write: [...known, authentication.requireScope(config.writeScope)],
  };
}
