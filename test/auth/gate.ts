/** The gate alone: a restify server whose one route needs a token, in front of a throw-away tenant. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request, type Server } from 'node:http';
import { Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import restify, { type Request, type Response } from 'restify';
import { type Authentication, createAuthentication } from '../../src/auth/index.ts';
import type { Clock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { answerProblems } from '../../src/http/problem.ts';
import { createLog } from '../../src/log.ts';
import { handlerOf } from '../support/steps.ts';
import { startTenant, type Tenant } from '../support/tenant.ts';
import { until } from '../support/until.ts';

export interface GateOptions {
  clock?: Clock;
  policies?: readonly string[];
  /** Variables besides the tenant's. */
  env?: Record<string, string>;
  tenant?: Tenant;
  /** A tenant of External ID beside it. */
  externalId?: Tenant;
  /** Milliseconds that the tenant has: long, for slow machines; short in a test that really waits for their end. */
  tenantTimeoutMs?: number;
  /** Fetch the keys at the start, and wait for them; default true. */
  isStarted?: boolean;
}

export interface Answer {
  status: number;
  challenge: string | undefined;
  retryAfter: string | undefined;
  body: Record<string, unknown>;
}

export interface Gate {
  tenant: Tenant;
  authentication: Authentication;
  url: string;
  logs: Record<string, unknown>[];
  outcomes: string[];
  fetches: string[];
  /** Calls with that token, or with these headers as they are. */
  call(credentials?: string | readonly string[], path?: string): Promise<Answer>;
  /** What the throttle is told of a request with these credentials. */
  isRemembered(credentials: string | readonly string[]): Promise<boolean>;
  inflightRequests(): number;
}

export async function startGate(t: TestContext, options: GateOptions = {}): Promise<Gate> {
  const { clock = Date, policies = ['b2c_1_susi'], isStarted = true, tenantTimeoutMs = 30_000 } = options;
  const tenant = options.tenant ?? (await startTenant(t, { clock, policies }));
  const config = loadConfig({
    ...tenant.env,
    ...options.externalId?.env,
    MONGODB_URI: 'mongodb://unused.invalid/',
    ...options.env,
  });
  const logs: Record<string, unknown>[] = [];
  const outcomes: string[] = [];
  const fetches: string[] = [];
  const log = createLog(
    'debug',
    new Writable({
      write(line: Buffer, _encoding, done) {
        logs.push(JSON.parse(line.toString()) as Record<string, unknown>);
        done();
      },
    }),
  );
  const authentication = createAuthentication({
    config,
    clock,
    log,
    tenantTimeoutMs,
    onOutcome: (outcome) => outcomes.push(outcome),
    onKeyFetch: (result) => fetches.push(result),
  });
  const server = restify.createServer({ name: '', log });
  server.pre(async (req: Request): Promise<void> => {
    req.requestId = randomUUID();
  });
  const whoAmI = async (req: Request, res: Response): Promise<void> => {
    res.send(200, { user: req.user, claims: req.authInfo });
  };
  const { authenticate, refuseBodyToken } = authentication;
  server.get('/me', handlerOf(authenticate), whoAmI);
  server.get('/read', handlerOf(authenticate, authentication.requireScope('tasks.read')), whoAmI);
  server.get('/free', handlerOf(authenticate, authentication.requireScope(undefined)), whoAmI);
  server.post('/body', handlerOf(authenticate, readBody, refuseBodyToken), whoAmI);
  server.get('/remembered', async (req: Request, res: Response): Promise<void> => {
    res.send(200, { isRemembered: authentication.isRemembered(req) });
  });
  answerProblems(server, { isPlainText: () => false, translate: () => undefined });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    // Every answer, refusals included, must have gone through restify's own accounting.
    assert.equal(server.inflightRequests(), 0);
    server.close();
    (server.server as Server).closeAllConnections();
    await authentication.keys.close();
  });
  const { port } = server.address();
  const url = `http://127.0.0.1:${port}`;
  if (isStarted) {
    authentication.keys.start();
    await until(() => [...authentication.keys.policies().values()].every(Boolean));
  }
  return {
    tenant,
    authentication,
    url,
    logs,
    outcomes,
    fetches,
    call: (credentials, path = '/me') => call(`${url}${path}`, credentials),
    isRemembered: async (credentials) => (await call(`${url}/remembered`, credentials)).body['isRemembered'] as boolean,
    inflightRequests: () => server.inflightRequests(),
  };
}

async function readBody(req: Request): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
  req.body = JSON.parse(Buffer.concat(chunks).toString()) as unknown;
}

/** `node:http` sends headers as they are given, where `fetch` would repair or refuse them. */
export async function call(url: string, credentials: string | readonly string[] = [], body = ''): Promise<Answer> {
  const own = typeof credentials === 'string' ? ['Authorization', `Bearer ${credentials}`] : credentials;
  const headers = ['Host', new URL(url).host, 'Content-Length', String(Buffer.byteLength(body)), ...own];
  const outgoing = request(url, { method: body === '' ? 'GET' : 'POST', headers, agent: false });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const text = (await response.toArray()).map(String).join('');
  return {
    status: response.statusCode ?? 0,
    challenge: response.headers['www-authenticate'],
    retryAfter: response.headers['retry-after'],
    body: JSON.parse(text) as Record<string, unknown>,
  };
}
