/** Metrics for Prometheus: names and units follow its conventions, and no client can add label values. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Request, Response, Route } from 'restify';
import { type Outcome, OUTCOMES } from '../auth/authenticate.ts';
import type { Clock } from '../clock.ts';
import { elapsedMs } from '../log.ts';
import type { Readiness } from './readiness.ts';

export interface Metrics {
  /** For `server.on('after')`. */
  observeRequest: (req: Request, res: Response, route: Route | undefined) => void;
  countAuthentication: (outcome: Outcome) => void;
  observeKeyFetch: (result: 'ok' | 'failed', seconds: number) => void;
  countThrottled: (bucket: 'user' | 'address') => void;
  /** What the readiness gauges ask at each scrape. */
  watch: (readiness: Readiness) => void;
  /** The content type of `text()`. */
  contentType: string;
  /** The text exposition format of Prometheus. */
  text: () => Promise<string>;
}

/** Milliseconds for which the text is reused: more frequent scrapes cost nothing. */
const FRESH_MS = 1_000;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const KEY_FETCH_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Metrics of one server, in its own registry: servers in one process do not count each other's requests. */
export function createMetrics(clock: Clock = Date): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer a request, by method, route name and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const authentications = new Counter({
    name: 'authentications_total',
    help: 'Tokens accepted (ok) and refused, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const keyFetches = new Histogram({
    name: 'tenant_key_fetch_duration_seconds',
    help: "Time to fetch the tenant's keys, by result; the count is the number of fetches.",
    labelNames: ['result'],
    buckets: KEY_FETCH_SECONDS,
    registers,
  });
  const throttled = new Counter({
    name: 'http_requests_throttled_total',
    help: 'Requests answered with 429, by the kind of bucket that was empty.',
    labelNames: ['bucket'],
    registers,
  });
  // A series that begins at 1 hides its first event from `rate()`.
  for (const outcome of OUTCOMES) authentications.inc({ outcome }, 0);
  for (const result of ['ok', 'failed']) keyFetches.zero({ result });
  for (const bucket of ['user', 'address']) throttled.inc({ bucket }, 0);

  return {
    observeRequest: (req, res, route) => {
      requests.observe(requestLabels(req, res, route), elapsedMs(req) / 1000);
    },
    countAuthentication: (outcome) => {
      authentications.inc({ outcome });
    },
    observeKeyFetch: (result, seconds) => {
      keyFetches.observe({ result }, seconds);
    },
    countThrottled: (bucket) => {
      throttled.inc({ bucket });
    },
    watch: (readiness) => {
      watchReadiness(registry, readiness);
    },
    contentType: registry.contentType,
    text: keptFor(FRESH_MS, clock, async () => (await registry.metrics()) + (await processMetrics().metrics())),
  };
}

function keptFor(ms: number, clock: Clock, make: () => Promise<string>): () => Promise<string> {
  let made: { at: number; text: Promise<string> } | undefined;
  return () => {
    const at = clock.now();
    if (made === undefined || Math.abs(at - made.at) >= ms) made = { at, text: make() };
    return made.text;
  };
}

function requestLabels(req: Request, res: Response, route: Route | undefined) {
  const method = req.method ?? '';
  return {
    // A client may send any of the many methods that Node's parser knows.
    method: METHODS.has(method) ? method : 'other',
    route: route?.name ?? 'none',
    status: res.statusCode,
  };
}

function watchReadiness(registry: Registry, { store, keys, policies }: Readiness): void {
  const gauge = (name: string, help: string, isReady: () => boolean): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(isReady() ? 1 : 0);
      },
    });
  };
  gauge('store_ready', '1 while the store answers, else 0.', store);
  gauge('tenant_keys_ready', "1 while the tenant's keys are known for any policy, else 0.", keys);
  new Gauge({
    name: 'tenant_policy_keys_ready',
    help: '1 while the keys of the policy are known, else 0; external-id stands for External ID.',
    labelNames: ['policy'],
    registers: [registry],
    collect() {
      for (const [policy, isKnown] of policies()) this.set({ policy }, isKnown ? 1 : 0);
    },
  });
}

let ofProcess: Registry | undefined;

/**
 * Memory, processor, event loop and garbage collection. One registry for the process that it describes, because
 * each further one would keep a timer and an observer that nothing ever stops.
 */
function processMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
