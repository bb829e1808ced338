/** The operations routes alone in a restify server, over parts that a test can take away. */
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { TestContext } from 'node:test';
import restify, { type Request, type Response, type Route } from 'restify';
import { StoreTime } from '../../src/database/deadline.ts';
import { guard } from '../../src/http/guard.ts';
import { mountOperations } from '../../src/http/mount.ts';
import type { Operation } from '../../src/http/operation.ts';
import { answerProblems } from '../../src/http/problem.ts';
import { createLog } from '../../src/log.ts';
import { opsOperations } from '../../src/ops/index.ts';
import { createMetrics, type Metrics } from '../../src/ops/metrics.ts';
import { type MovableClock, movableClock } from '../support/clock.ts';

export interface Ops {
  url: string;
  metrics: Metrics;
  clock: MovableClock;
  /** What is there; a test changes it. */
  state: { store: boolean; keys: boolean; draining: boolean; policies: Map<string, boolean> };
  /** The value of one series a second later, as Prometheus would read it; undefined when there is none. */
  scrape: (series: string) => Promise<number | undefined>;
}

export async function startOps(t: TestContext): Promise<Ops> {
  const clock = movableClock();
  const metrics = createMetrics(clock);
  const state = { store: true, keys: true, draining: false, policies: new Map([['b2c_1_susi', true]]) };
  const server = restify.createServer({ name: '', log: createLog('fatal', process.stdout) });
  const httpServer = server.server as HttpServer;
  guard(server, httpServer);
  const readiness = {
    store: () => state.store,
    storeProblem: () => (state.store ? undefined : 'does not answer'),
    keys: () => state.keys,
    draining: () => state.draining,
    policies: () => state.policies,
  };
  const operations: Operation[] = opsOperations({ metrics, readiness, all: () => operations });
  const problems = answerProblems(server, { isPlainText: () => false, translate: () => undefined });
  mountOperations({ server, operations, time: new StoreTime(), problems });
  server.on('after', (req: Request, res: Response, route: Route | undefined) => {
    metrics.observeRequest(req, res, route);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    httpServer.closeAllConnections();
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    metrics,
    clock,
    state,
    scrape: (series) => {
      clock.advance(1_000);
      return scrape(url, series);
    },
  };
}

export async function scrape(url: string, series: string): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((line) => line.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}
