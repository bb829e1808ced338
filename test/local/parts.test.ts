import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { variables } from '../../config/variables.ts';
import { chooseListening, ignoredSettings, localUrl, ownScopes, ownSettings } from '../../src/local/environment.ts';
import { createLogFormatter, PROBE_ID } from '../../src/local/logFormat.ts';
import { userNamed } from '../../src/local/tenant/identity.ts';
import { waitForSignal } from '../../src/stopSignal.ts';
import { root, run } from './support.ts';

const tenant = {
  metadataUrl: 'https://localhost:1/',
  externalMetadataUrl: 'https://localhost:1/',
  certificatePath: '/certificate.pem',
};

test('every setting of the store and the tenant is decided by development, none is left to .env', () => {
  const own = ownSettings(tenant, { store: '/data/store', tenant: '/data/tenant' });
  const leftToTheCaller = ['B2C_CLOCK_SKEW', 'B2C_READ_SCOPE', 'B2C_WRITE_SCOPE'];

  const names = variables.map(({ name }) => name);
  const decided = names.filter(
    (name) => /^(MONGODB|B2C|EXTERNAL_ID|DOCS)_/.test(name) && !leftToTheCaller.includes(name),
  );
  assert.deepEqual(
    decided.filter((name) => !(name in own)),
    [],
  );
  assert.equal(own['NODE_TLS_REJECT_UNAUTHORIZED'], undefined);
});

test('a scope that is required is the development tenant’s own, and what is not used is said', () => {
  const settings = { B2C_READ_SCOPE: 'Tasks.Read', B2C_WRITE_SCOPE: 'tasks.write', DOCS_CLIENT_ID: '' };

  const own = { DOCS_CLIENT_ID: 'its own', ...ownScopes(settings) };

  assert.deepEqual(own, { DOCS_CLIENT_ID: 'its own', B2C_READ_SCOPE: 'tasks.read', B2C_WRITE_SCOPE: 'tasks.write' });
  assert.deepEqual(ignoredSettings(settings, own), ['B2C_READ_SCOPE']);
  assert.deepEqual(ownScopes({ B2C_READ_SCOPE: ' ' }), {});
});

test('development listens on loopback unless told otherwise, and prints an address that can be called', () => {
  assert.deepEqual(chooseListening({ HOST: '', PORT: ' ' }), { host: '127.0.0.1', port: '3000' });
  assert.deepEqual(chooseListening({ HOST: '0.0.0.0', PORT: '8080' }), { host: '0.0.0.0', port: '8080' });
  assert.equal(localUrl({ host: '0.0.0.0', port: '8080' }), 'http://127.0.0.1:8080');
  assert.equal(localUrl({ host: '::1', port: '3000' }), 'http://[::1]:3000');
});

const common = { v: 0, name: 'tasks-api', hostname: 'h', pid: 1, time: '2026-11-24T09:00:01.000Z', level: 30 };

/** Formats records as one API process would log them. */
function formatted(...records: object[]): (string | undefined)[] {
  const format = createLogFormatter();
  return records.map((record) => format(JSON.stringify({ ...common, ...record })));
}

test('a log line is for people: time, level, message, fields; an error with its stack', () => {
  const [refused, failed] = formatted(
    { msg: 'refused', status: 200, user: 'a\u001b[2J\n', reason: '\u009b2J\u202e' },
    { level: 50, msg: 'failed', err: { stack: 'Error: x\u001b[2J\n  at y' } },
  );

  assert.match(
    refused ?? '',
    /^\d\d:\d\d:\d\d INFO {2}refused status=200 user="a\\u001b\[2J\\n" reason="\\u009b2J\\u202e"$/,
  );
  assert.match(failed ?? '', /^\d\d:\d\d:\d\d ERROR failed\n {4}Error: x\\u001b\[2J\n {6}at y$/);
  const format = createLogFormatter();
  for (const other of ['plain text', '{"a":1}', '{torn', 'null']) assert.equal(format(other), other);
});

test('a request is one aligned line: method, path, status, code, time, who', () => {
  const request = { msg: 'handled', method: 'POST', route: 'CreateTask', path: '/api/tasks', requestId: 'x' };

  const lines = formatted(
    { ...request, status: 409, code: 'MissingTask', ms: 4.2, user: 'alice' },
    { ...request, status: 201, ms: 0.4, user: userNamed('Alice').oid },
    { ...request, method: 'GET', path: '/healthz', status: 200, ms: 12, user: 'bob\u001b[2J' },
  ).map((line) => line?.slice('09:00:01 '.length));

  assert.deepEqual(lines, [
    'POST    /api/tasks                           409 MissingTask              4 ms  alice',
    'POST    /api/tasks                           201                         <1 ms  Alice',
    'GET     /healthz                             200                         12 ms  bob\\u001b[2J',
  ]);
});

test("the terminal shows one line of keys, and none of development's own probes", () => {
  const known = { msg: 'tenant keys known', metadataUrl: 'https://localhost:1/', keys: 1 };

  const lines = formatted(
    { msg: 'handled', method: 'GET', path: '/readyz', status: 503, ms: 1, requestId: PROBE_ID },
    known,
    known,
    { level: 40, msg: 'tenant keys not fetched' },
    known,
  ).map((line) => line?.slice('09:00:01 '.length));

  assert.deepEqual(lines, [
    undefined,
    'INFO  tenant keys known',
    undefined,
    'WARN  tenant keys not fetched',
    'INFO  tenant keys known',
  ]);
});

test('the signals of one Ctrl-C are one; a second Ctrl-C is impatience', async () => {
  const signals = new EventEmitter();
  let now = 0;
  let impatient = 0;
  const stopped = waitForSignal({
    emitter: signals,
    names: ['SIGINT', 'SIGTERM'],
    now: () => now,
    onImpatient: () => (impatient += 1),
  });

  signals.emit('SIGINT', 'SIGINT');
  now = 40;
  signals.emit('SIGINT', 'SIGINT');
  assert.equal(await stopped, 'SIGINT');
  assert.equal(impatient, 0);
  signals.emit('SIGTERM', 'SIGTERM');
  assert.equal(impatient, 1);
  now = 2000;
  signals.emit('SIGINT', 'SIGINT');
  assert.equal(impatient, 2);
});

test('nothing that runs in production imports the development tenant or its packages', async () => {
  const entries = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.startsWith(join(root, 'src/local')))
    // They load it when they are asked to: with --dev, and for an embedded: address.
    .filter(
      (file) =>
        !['src/doctor/main.ts', 'src/people/cli.ts', 'src/database/store.ts'].some((door) => file === join(root, door)),
    );

  const offenders = [];
  for (const file of files) {
    const text = await readFile(file, 'utf8');
    if (/(from|import\()\s*'(?:[^']*\/local\/|selfsigned)/.test(text)) offenders.push(file);
  }
  assert.deepEqual(offenders, []);
});

test('under an older Node the commands say what to do', async () => {
  const pretend = (node: string) =>
    `data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'${node}'}})`;
  const guarded = (node: string) =>
    run(process.execPath, [
      '--import',
      pretend(node),
      '--import',
      './config/needsNode24.js',
      '-e',
      'console.log("ran")',
    ]);

  const [old, current] = await Promise.all([guarded('20.20.2'), guarded('24.0.0')]);

  assert.deepEqual([old.code, old.stdout], [1, '']);
  assert.match(
    old.stderr,
    /^This needs Node 24, and this is Node 20\.20\.2\..*\nrun `npm rebuild node --ignore-scripts=false`/,
  );
  assert.deepEqual([current.code, current.stdout], [0, 'ran\n']);
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const name of ['start', 'dev', 'token', 'users', 'restored', 'doctor']) {
    assert.match(scripts[name] ?? '', /needsNode24\.js/);
  }
});
