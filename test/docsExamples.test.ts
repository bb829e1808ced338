/**
 * Runs what the documents show, in the order in which they show it, as a reader would paste it. A new block is run as well:
 * one that cannot be run here has to be named, with the reason.
 */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Script } from 'node:vm';
import { loadConfig } from '../src/config.ts';
import { developmentStore } from '../src/local/developmentStore.ts';
import { dataDirectory } from '../src/local/directory.ts';
import { ownSettings } from '../src/local/environment.ts';
import { findFreePort } from '../src/local/port.ts';
import { loadTenantState } from '../src/local/tenant/state.ts';
import { addressesOf } from '../src/local/tenant/tenant.ts';
import { tenantOrigin } from '../src/local/tenant/tokens.ts';
import { copyProject, startDevelopment } from './local/project.ts';
import { root, run } from './local/support.ts';

const DOCUMENTS = globSync(['*.md', 'docs/*.md', 'src/local/*.md'], { cwd: root });

/** Blocks that cannot be run here, by how they begin. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'npm ci': 'brings what is there already, and starts what the other blocks are run against',
  'npm test': 'would run this test in itself',
  'TEST_MONGODB_URI=': 'needs a MongoDB server',
  mongodump: 'needs a MongoDB server',
  mongorestore: 'needs a MongoDB server',
};

/** Blocks for which the server has to be stopped. */
const STOPPED = ['cp -a data/store', 'rm -r data/store'];

/** What a block prints, by how it begins, as far as the document says it. */
const PRINTS: Readonly<Record<string, RegExp>> = {
  'TOKEN=$(npm run -s token)\ncurl': /^\{"_id":.*"Text":"Buy milk".*\}\n\[\{"_id":.*\}\]\n$/,
  'ID=$(curl': /"completed":true.*^HTTP\/1\.1 204 /ms,
  ALICE: /^\[\]\n$/,
  'cp .env.example': /^This configuration works\..*"msg":"listening".*"msg":"stopped"/ms,
  'npm run -s token -- --expires-in': /^This configuration REFUSES this token \(401\): the token has expired/,
  'curl -s -D': /^Link: <[^>]+>; rel="next"/m,
  'ID=$(node -p \'crypto.randomBytes(12).toString("hex")\')\ncurl -i': /^HTTP\/1\.1 201 /,
  KEY: /^HTTP\/1\.1 201 /,
  ETAG: /^HTTP\/1\.1 200 .*"completed":true/s,
  'curl -i "${auth[@]}" -X DELETE': /^HTTP\/1\.1 204 /,
  'ID=$(node -p \'crypto.randomBytes(12).toString("hex")\')\ncurl -s': /"results":\[\{"status":201,.*\{"status":200,/,
  'npm run doctor': /^This configuration works\.(.*^This configuration ACCEPTS this token){2}/ms,
  'npm run -s users -- add': /Alice/,
  'npm run restored': /the devices of \d+ user\(s\) will sync from the beginning/,
  'rm -r data/store': /the devices of \d+ user\(s\) will sync from the beginning/,
};

/** Exit codes other than 0. */
const EXITS: Readonly<Record<string, number>> = { 'npm run -s token -- --expires-in': 1 };

/** The answers shown, by their document, and a request that gets each. */
const ANSWERS: Readonly<Record<string, string>> = {
  'README.md': `-d '{"Text":"Buy milk"}' $API/api/tasks`,
  'docs/client.md': '$API/api/tasks/changes',
  'docs/api.md': `-d '{}' $API/api/tasks`,
};

const guid = (digit: number): string => `00000000-0000-4000-8000-00000000000${digit}`;
/** What readers put in place of what stands in brackets. */
const PLACEHOLDERS: readonly (readonly [string, string])[] = [
  ['<oid>', guid(1)],
  ['<from oid>', guid(2)],
  ['<to oid>', guid(3)],
  ['<B2C oid>', 'alice'],
  ['<new oid>', guid(4)],
  ['<tenant id>', guid(5)],
  ['<application id there>', guid(6)],
  ['<Application ID>', guid(7)],
  ['<app id>', guid(8).replaceAll('-', '')],
];

/** An answer other than 2xx ends the script, and `npm start` ends when its server is ready. */
const PRELUDE = `set -euo pipefail
exec </dev/null
curl() { command curl -sS --fail-with-body "$@"; }
npm() {
  if [ "$*" != start ]; then command npm "$@"; return; fi
  command npm start &
  until command curl -so /dev/null --fail "http://$HOST:$PORT/readyz"; do sleep 0.1; done
  kill -TERM $!
  wait $!
}
`;

interface Block {
  document: string;
  language: string;
  text: string;
}

const blocks: Block[] = (await Promise.all(DOCUMENTS.map(readBlocks))).flat();
const commands = blocks.filter(({ language }) => ['sh', 'bash'].includes(language));
const runnable = commands.filter((block) => find(NOT_RUN, block) === undefined);

test('every command that the documents show works as shown', async (t) => {
  const project = await copyProject(t);
  await cp(join(root, '.env.example'), join(project, '.env.example'));
  const development = startDevelopment(t, project, { THROTTLE_RATE: '0' });
  const url = await development.says(/The API is ready at (\S+):/);
  const env = await settingsOf(project);
  const shell = { project, url, env };
  const token = (await run('npm', ['run', '-s', 'token'], {}, project)).stdout;
  await writeFile(join(project, 'token.txt'), token);
  // The examples of paging need more than one task.
  for (const id of ['a', 'b']) await createTask(`${url}/api/tasks/${id.repeat(24)}`, token.trim());

  for (const document of DOCUMENTS) {
    const own = runnable.filter((block) => block.document === document);
    await check(
      shell,
      own.filter((block) => !isForStopped(block)),
    );
  }
  for (const document of Object.keys(ANSWERS)) await checkAnswer(shell, document);
  await development.end();
  await check(shell, runnable.filter(isForStopped));

  assert.ok(runnable.length >= 20);
});

test('no row of these tables is left over', () => {
  const rows = [NOT_RUN, PRINTS, EXITS].flatMap(Object.keys).concat(STOPPED);

  const unused = rows.filter((start) => !commands.some(({ text }) => text.startsWith(start)));

  assert.deepEqual(unused, []);
});

test('the settings that the documents show are taken', () => {
  const settings = blocks.filter(({ language, text }) => language === '' && /^[A-Z]/.test(text));

  for (const { text } of settings) {
    const env = Object.fromEntries(
      [...filledIn(text).matchAll(/^([A-Z]\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
    );
    loadConfig({ MONGODB_URI: 'mongodb://127.0.0.1', ...env });
  }
  assert.ok(settings.length >= 2);
});

test('positions made as the client guide shows lie between their neighbours, and 300 in a row fit', () => {
  const [shown] = blocks.filter(({ document, language }) => document === 'docs/client.md' && language === 'js');
  const between = new Script(`${shown?.text}; between`).runInNewContext() as (a: string, b?: string) => string;

  const first = between('', undefined);
  const positions = [first];
  for (let i = 0; i < 150; i += 1) positions.push(between(positions.at(-1) ?? '', undefined));
  for (let i = 0; i < 150; i += 1) positions.unshift(between('', positions[0]));
  positions.splice(151, 0, between(positions[150] ?? '', positions[151]));

  assert.deepEqual(positions.toSorted(), positions);
  assert.equal(new Set(positions).size, 302);
  assert.ok(positions.every((position) => position.length <= 64));
});

async function createTask(url: string, token: string): Promise<void> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const { status } = await fetch(url, { method: 'PUT', headers, body: '{"Text":"Water the plants"}' });
  assert.equal(status, 201);
}

interface Shell {
  project: string;
  /** Where the API in development listens. */
  url: string;
  env: Record<string, string>;
}

/** Runs the blocks one after the other in one shell, so that later ones see what earlier ones have set. */
async function check({ project, url, env }: Shell, shown: Block[]): Promise<void> {
  const bodies = shown.map((block, i) => `echo '=== ${i}'\n${withExit(filledIn(block.text), find(EXITS, block))}`);
  const script = PRELUDE + bodies.join('').replaceAll('http://127.0.0.1:3000', url);
  const { code, stdout, stderr } = await run('bash', ['-c', script], env, project);
  assert.equal(code, 0, `${shown[0]?.document}:\n${stdout}${stderr}`);
  for (const [i, block] of shown.entries()) {
    const [, printed = ''] = stdout.split(`=== ${i}\n`);
    assert.match(printed.split(/^=== /m)[0] ?? '', find(PRINTS, block) ?? /(?:)/, `${block.document}:\n${block.text}`);
  }
}

function withExit(text: string, code: number | undefined): string {
  return code === undefined ? text : `code=0; { ${text}} || code=$?; [ $code = ${code} ]\n`;
}

/** The answer that is shown has the members of the real one, and the same title, status, detail and code. */
async function checkAnswer({ project, url, env }: Shell, document: string): Promise<void> {
  const shown = blocks.filter((block) => block.document === document && block.language === 'json');
  const request = `curl -s -H "Authorization: Bearer $(npm run -s token)" -H 'Content-Type: application/json' ${ANSWERS[document]}`;
  const { stdout } = await run('bash', ['-c', request.replace('$API', url)], env, project);
  assert.equal(shown.length, 1);
  assert.deepEqual(shapeOf(JSON.parse(shown[0]?.text ?? '')), shapeOf(JSON.parse(stdout)));
}

function shapeOf(answer: unknown): unknown {
  const names = Object.keys(answer as object).sort();
  const { title, status, detail, code } = answer as Record<string, unknown>;
  return { names, title, status, detail, code };
}

/** Settings of a server in production that uses the development tenant, and the store that is open there. */
async function settingsOf(project: string): Promise<Record<string, string>> {
  const directory = dataDirectory({}, project);
  const addresses = addressesOf(tenantOrigin(await loadTenantState(directory.tenant)));
  const own = ownSettings({ ...addresses, certificatePath: join(directory.tenant, 'certificate.pem') }, directory);
  const MONGODB_URI = await developmentStore({ DEV_DATA_DIR: join(project, 'data') });
  return {
    ...own,
    NODE_ENV: 'production',
    MONGODB_URI,
    HOST: '127.0.0.1',
    PORT: String(await findFreePort('127.0.0.1')),
  };
}

/** What stands between the fences of a document, without the indentation of a list. */
async function readBlocks(document: string): Promise<Block[]> {
  const markdown = await readFile(join(root, document), 'utf8');
  return [...markdown.matchAll(/^( *)```(\w*)\n(.*?)^ *```$/gms)].map(([, indent = '', language = '', text = '']) => ({
    document,
    language,
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

function filledIn(text: string): string {
  return PLACEHOLDERS.reduce((filled, [name, value]) => filled.replaceAll(name, value), text);
}

/** The row of a table for a block that begins like its key. */
function find<Value>(table: Readonly<Record<string, Value>>, { text }: Block): Value | undefined {
  return Object.entries(table).find(([start]) => text.startsWith(start))?.[1];
}

function isForStopped({ text }: Block): boolean {
  return STOPPED.some((start) => text.startsWith(start));
}
