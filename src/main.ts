/** The process: configuration, store, keys, listen, signals, exit codes. */
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { createAuthentication } from './auth/index.ts';
import { type Config, ConfigError, loadConfig } from './config.ts';
import { Database } from './database/database.ts';
import { uriProblem } from './database/store.ts';
import { loadEnvFile } from './envFile.ts';
import { bufferOutput, createLog, type Logger } from './log.ts';
import { createMetrics } from './ops/metrics.ts';
import { type App, createServer } from './server.ts';
import { waitForSignal } from './stopSignal.ts';

const STDOUT = 1;
/** Milliseconds within which everything already sent is answered when the process is told to stop. */
const DRAIN_MS = 10_000;
/** The part of these milliseconds in which new connections are still served, so that load balancers and clients notice. */
const GRACE_MS = 2_000;
/** Connections that may wait to be accepted; the system may allow fewer. */
const BACKLOG = 4_096;
/** Milliseconds that closing the connections to the store and the tenant may take. */
const CLOSE_MS = 2_000;

const config = readConfig();
const output = bufferOutput(STDOUT, () => process.exit(1));
process.on('exit', () => {
  output.flush();
});
const log = createLog(config.logLevel, output);
// A bug, and the state is unknown: log what happened and let the supervisor start a clean process.
process.on('uncaughtException', (err) => {
  log.fatal({ err }, 'uncaught exception');
  process.exit(1);
});
process.on('unhandledRejection', (err) => {
  log.fatal({ err }, 'unhandled rejection');
  process.exit(1);
});
await run(config, log);

function readConfig(): Config {
  try {
    loadEnvFile(process.env);
    process.env['NODE_ENV'] ??= 'production';
    return loadConfig(process.env, uriProblem);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

async function run(config: Config, log: Logger): Promise<void> {
  const clock = Date;
  const metrics = createMetrics(clock);
  const database = new Database({ uri: config.mongodbUri, clock, log, isProduction: config.isProduction });
  const authentication = createAuthentication({
    config,
    clock,
    log,
    onOutcome: metrics.countAuthentication,
    onKeyFetch: metrics.observeKeyFetch,
  });
  const app = createServer({ config, log, clock, database, authentication, metrics });
  // A laptop has no load balancer, and whoever presses Ctrl-C is waiting.
  const graceMs = config.isProduction ? GRACE_MS : 0;
  void stopOnSignal(log, async () => {
    await app.connections.drain(DRAIN_MS, graceMs);
    // Nothing is in flight any more, but the driver was seen to wait for ever for a server that had stopped before us.
    const closed = Promise.allSettled([database.close(), authentication.keys.close()]);
    await Promise.race([closed, setTimeout(CLOSE_MS)]);
  });
  try {
    // Before the store, so that neither waits for the other.
    authentication.keys.start();
    await database.start();
    await listen(app, config, log);
  } catch (err) {
    log.fatal({ err }, 'cannot start');
    process.exitCode = 1;
    await Promise.allSettled([database.close(), authentication.keys.close()]);
  }
}

async function listen({ server }: App, { port, host }: Config, log: Logger): Promise<void> {
  const failed = new Promise<never>((_, reject) => server.once('error', reject));
  server.listen(port, host, BACKLOG);
  try {
    await Promise.race([once(server, 'listening'), failed]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`cannot listen on PORT ${port} of HOST ${host ?? '(all)'}: ${reason}`, { cause });
  }
  const { port: actual, address } = server.address();
  log.info({ port: actual, address }, 'listening');
}

/** SIGTERM and SIGINT shut the process down; a second one ends it at once. */
async function stopOnSignal(log: Logger, end: () => Promise<void>): Promise<void> {
  const onImpatient = (): void => process.exit(1);
  const signal = await waitForSignal({ emitter: process, names: ['SIGTERM', 'SIGINT'], onImpatient });
  log.info({ signal }, 'stopping');
  await end();
  log.info('stopped');
  process.exit(0);
}
