import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'dotenv';
import { waitForSignal } from '../stopSignal.ts';
import { type ApiProcess, startApi } from './api.ts';
import { DATA_DIRECTORY_VARIABLE, dataDirectory, projectRoot } from './directory.ts';
import { chooseListening, ignoredSettings, type Listening, localUrl, ownScopes, ownSettings } from './environment.ts';
import { DevError } from './errors.ts';
import { hints, samples } from './hints.ts';
import { findFreePort, isTaken } from './port.ts';
import { supervise } from './supervise.ts';
import { startTenant } from './tenant/tenant.ts';

/**
 * Runs the tenant and the API until the developer stops them.
 *
 * @throws {DevError} when one of them cannot start.
 */
export async function develop(): Promise<void> {
  let api: ApiProcess | undefined;
  // The last resort, even after an error of our own: the API never outlives this process.
  process.on('exit', () => api?.kill());
  const stopped: Promise<unknown> = Promise.race([
    waitForSignal({ emitter: process, names: ['SIGINT', 'SIGTERM', 'SIGHUP'], onImpatient }),
    waitForAbandonment(),
  ]);
  const settings = { ...(await readEnvironmentFile()), ...process.env };
  const listening = await reserve(chooseListening(settings));
  const url = localUrl(listening);
  const directory = dataDirectory(process.env);
  const parts = { url, dataDirectory: process.env[DATA_DIRECTORY_VARIABLE] };
  const tenant = await startTenant({ directory: directory.tenant, api: { url, samples: samples(parts) } });
  try {
    const own = { ...ownSettings(tenant, directory), ...ownScopes(settings) };
    tellIgnored(ignoredSettings(settings, own));
    const env = { ...process.env, ...own, HOST: listening.host, PORT: listening.port };
    await supervise({
      root: projectRoot,
      url,
      stopped,
      say,
      start: () => (api = startApi(projectRoot, env, say)),
      welcome: () => {
        say(hints(parts, tenant.origin));
      },
    });
  } finally {
    await tenant.close();
  }
}

const PARENT_CHECK_MS = 500;

/**
 * Resolves when nobody is left to stop us: npm's shell ended on a signal that it did not pass on, or nobody reads our
 * output any more (`npm run dev | head`).
 */
function waitForAbandonment(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.on('error', () => {
      resolve();
    });
    if (process.env['npm_lifecycle_event'] === undefined) return;
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) resolve();
    }, PARENT_CHECK_MS).unref();
  });
}

/** The second Ctrl-C: ends at once, and the API with it. */
function onImpatient(): void {
  process.exit(1);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/**
 * Where the API will listen, and what of it is not used. The API reads `.env` itself, and says what is wrong with one that
 * cannot be read.
 */
async function readEnvironmentFile(): Promise<Record<string, string>> {
  const content = await readFile(join(projectRoot, '.env')).catch(() => '');
  return parse(content);
}

function tellIgnored(names: string[]): void {
  if (names.length > 0) {
    say(`Ignored in development, which has its own store and tenant: ${names.join(', ')}.`);
  }
}

/** Settles on a port before anything starts: one that stays the same when the API restarts, even for PORT=0. */
async function reserve({ host, port }: Listening): Promise<Listening> {
  // Where no port can be had, the host is wrong, which the API says.
  if (/^0+$/.test(port)) return { host, port: String(await findFreePort(host).catch(() => 0)) };
  const isPort = /^\d{1,5}$/.test(port) && Number(port) < 65_536;
  if (isPort && (await isHeld(Number(port), host))) {
    throw new DevError(
      `Port ${port} on ${host} is in use: is another \`npm run dev\` or \`npm start\` running? Stop it, or choose another` +
        ' port: `PORT=3001 npm run dev` (PORT=0 picks a free one).',
    );
  }
  return { host, port };
}

/**
 * Whether the port stays in use. An API whose `npm run dev` was killed ends as soon as it cannot write its log, so we send
 * it a request first: nobody should have to look for its process.
 */
async function isHeld(port: number, host: string): Promise<boolean> {
  if (!(await isTaken(port, host))) return false;
  const answer = await fetch(`${localUrl({ host, port: String(port) })}/healthz`, {
    signal: AbortSignal.timeout(500),
  }).catch(() => undefined);
  await answer?.arrayBuffer().catch(() => undefined);
  await delay(200);
  return isTaken(port, host);
}
