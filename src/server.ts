import type { Server as HttpServer } from 'node:http';
import restify, { type Request, type Response, type Route, type Server } from 'restify';
import { refuseStrayToken } from './auth/credentials.ts';
import type { Authentication } from './auth/index.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Database } from './database/database.ts';
import { StoreTime } from './database/deadline.ts';
import { isRefusal, toStoreError } from './database/errors.ts';
import {
  InsufficientScopeError,
  InvalidContentError,
  InvalidRequestError,
  NotAcceptableError,
  NotRegisteredError,
  PayloadTooLargeError,
  StoreUnavailableError,
  TenantUnavailableError,
  TooManyRequestsError,
  UnauthorizedError,
  UnsupportedMediaTypeError,
} from './errors.ts';
import { acceptsJson } from './http/accept.ts';
import { readBody } from './http/body.ts';
import { Connections } from './http/connections.ts';
import { commonHeaders, corsHeaders } from './http/cors.ts';
import { guard } from './http/guard.ts';
import { DEFAULT_LIMITS, limit, type Limits } from './http/limits.ts';
import { mountOperations } from './http/mount.ts';
import type { Guard, Operation, ReadBody } from './http/operation.ts';
import { answerParserErrors } from './http/parserErrors.ts';
import { answerProblems } from './http/problem.ts';
import { boundInFlight, createThrottle, type Throttle } from './http/throttle.ts';
import { type Logger, logRequest } from './log.ts';
import { authorityOf, signInOf } from './ops/authority.ts';
import { opsOperations } from './ops/index.ts';
import type { Metrics } from './ops/metrics.ts';
import { finishErasures } from './people/erasure.ts';
import { peopleOperations } from './people/operations.ts';
import { Registration } from './people/registration.ts';
import { taskModels } from './tasks/model.ts';
import { isFirstClientPath, taskOperations } from './tasks/operations.ts';

export interface Parts {
  config: Config;
  log: Logger;
  clock: Clock;
  /** Whether the store answers now, and what is wrong if not; called at every `/readyz`, so neither may wait. */
  database: Pick<Database, 'connection' | 'isReady' | 'problem'>;
  authentication: Authentication;
  metrics: Metrics;
  limits?: Partial<Limits>;
  /** How long a request may wait for the store. */
  storeTime?: StoreTime;
}

export interface App {
  server: Server;
  /** Everything that it does. */
  operations: readonly Operation[];
  connections: Connections;
}

/** Characters of a path parameter: a text of 4,096, each of which may take nine when percent-encoded. */
const MAX_PARAMETER_CHARS = 40_000;

/** The pipeline, in the order in which a request passes through it. Opens no socket and no database. */
export function createServer(parts: Parts): App {
  const { config, log, metrics, storeTime = new StoreTime() } = parts;
  const limits = { ...DEFAULT_LIMITS, ...parts.limits };
  const server = restify.createServer({
    name: '',
    log,
    noWriteContinue: true,
    maxParamLength: MAX_PARAMETER_CHARS,
  });
  const httpServer = server.server as HttpServer;
  guard(server, httpServer);
  server.first(prepareAnswers(config, log));
  limit(httpServer, limits);
  const connections = new Connections(httpServer, limits);
  answerParserErrors(httpServer, connections, log, corsHeaders(config.corsOrigins));
  const operations = operationsOf({ ...parts, limits, storeTime }, connections);
  finishInterrupted(parts);
  const problems = answerProblems(server, {
    isPlainText: isFirstClientPath,
    translate: toStoreError,
    needsOperator: isRefusal,
  });
  mountOperations({ server, operations, time: storeTime, problems });

  server.on('after', (req: Request, res: Response, route: Route | undefined) => {
    logRequest(req, res, route, config.isProduction);
    metrics.observeRequest(req, res, route);
  });
  return { server, operations, connections };
}

/** The headers of every answer, set before anything else is known. */
function prepareAnswers({ corsOrigins }: Config, log: Logger): (req: Request, res: Response) => undefined {
  const setCommonHeaders = commonHeaders(corsOrigins, (path) => path === '/metrics');
  // At its lower levels restify logs whole responses with their requests: texts and tokens.
  const quiet = log.child({ component: 'restify' });
  quiet.level('warn');
  return (req, res) => {
    res.log = quiet;
    setCommonHeaders(req, res);
  };
}

/** Finishes erasures whose process died, as soon as the store is there. */
function finishInterrupted({ clock, database, log }: Parts): void {
  database.connection.once('open', () => {
    finishErasures(database.connection, new Date(clock.now())).catch((err: unknown) => {
      log.warn({ err }, 'interrupted erasures wait for the next start, or the next call of their users');
    });
  });
}

/** Everything that this server does. */
function operationsOf(parts: Required<Parts> & { limits: Limits }, connections: Connections): Operation[] {
  const { config, clock, database, authentication, metrics, limits, storeTime } = parts;
  const throttle = createThrottle({
    rate: config.throttleRate,
    burst: config.throttleBurst,
    trustProxy: config.trustProxy,
    clock,
    isRemembered: (req) => authentication.isRemembered(req),
    onThrottled: metrics.countThrottled,
  });
  const { connection } = database;
  const registration = new Registration({ connection, clock, storeTime, autoRegister: config.autoRegister });
  const guards = signedIn(parts, registration, throttle);
  const readBodyOf = bodyReader(authentication);
  const operations: Operation[] = [
    ...opsOperations({
      metrics,
      readiness: {
        store: () => database.isReady(),
        storeProblem: () => database.problem(),
        keys: () => authentication.keys.isReady(),
        policies: () => authentication.keys.policies(),
        draining: () => connections.isDraining,
      },
      all: () => operations,
      authority: authorityOf(config),
      signIn: signInOf(config),
    }).map((operation) => (COSTLY.includes(operation.path) ? charged(operation, throttle) : operation)),
    ...peopleOperations({ connection, clock, registration, ...guards, readBody: readBodyOf }),
    ...taskOperations({
      models: taskModels(connection),
      clock,
      lifeOf: (caller) => registration.lifeOf(caller),
      ...guards,
      readBody: readBodyOf,
      batchMs: limits.batchMs,
    }),
  ];
  return operations;
}

/** What is open to all but costs something to make or send. */
const COSTLY = ['/', '/docs', '/openapi.json', '/metrics'];

function charged(operation: Operation, { chargeOpen }: Throttle): Operation {
  const { guard } = operation;
  const steps = [chargeOpen, ...guard.steps];
  const problems = [...guard.problems, TooManyRequestsError];
  return { ...operation, guard: { ...guard, steps, problems, headers: RATE_LIMIT } };
}

/** What runs before everything that belongs to somebody, and what it can answer with. */
function signedIn(
  { config, authentication, limits }: Pick<Parts, 'config' | 'authentication'> & { limits: Limits },
  registration: Registration,
  throttle: Throttle,
): Record<'toRead' | 'toWrite' | 'known', Guard> {
  const known = [
    acceptsJson,
    throttle.around(authentication.authenticate),
    throttle.chargeUser,
    boundInFlight(limits.inFlightPerUser),
    registration.requireUser,
  ];
  const guardFor = (scope: string | undefined): Guard => ({
    steps: known,
    scope: authentication.requireScope(scope),
    check: refuseStrayToken,
    charge: throttle.chargeUser,
    problems: SIGNED_IN,
    headers: RATE_LIMIT,
    needsToken: true,
  });
  return { toRead: guardFor(config.readScope), toWrite: guardFor(config.writeScope), known: guardFor(undefined) };
}

const RATE_LIMIT = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'] as const;
const SIGNED_IN = [
  ...[InvalidRequestError, UnauthorizedError, InsufficientScopeError, NotRegisteredError, NotAcceptableError],
  ...[TooManyRequestsError, TenantUnavailableError, StoreUnavailableError],
];

/** How a body is read: after the guard, so that an unknown caller costs no memory. */
function bodyReader(authentication: Authentication): ReadBody {
  return (described, options = {}) => ({
    ...described,
    steps: [readBody(options), authentication.refuseBodyToken],
    problems: [InvalidContentError, PayloadTooLargeError, UnsupportedMediaTypeError, InvalidRequestError],
  });
}
