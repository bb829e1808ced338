import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { copyProject, type Development, startDevelopment } from './project.ts';
import { run, trusting } from './support.ts';

const READY = /The API is ready at (\S+):/;

const productionSettings = `MONGODB_URI=mongodb://production.example/tasklist
B2C_TENANT_NAME=contoso
B2C_POLICY_NAME=b2c_1_production
B2C_CLIENT_ID=f2a76e08-93f2-4350-833c-965c02483b11
B2C_ISSUER=https://contoso.b2clogin.com/c64a4f7d-3091-4c73-a722-a3f069694cc1/v2.0/
`;

/** The commands of the terminal, and after them those that the page of the tenant adds. */
async function printedCommands(t: TestContext, development: Development, project: string): Promise<string[]> {
  await development.says(READY);
  const origin = await development.says(/The tenant is at (\S+):/);
  await development.says(/Ctrl-C stops everything/);
  const [, block = ''] = /in this folder:\n\n([^]*?)\n\n/.exec(development.output.stdout) ?? [];
  const printed = block.split('\n');
  const ask = trusting(t, await readFile(join(project, 'data/tenant/certificate.pem'), 'utf8'));
  const page = await (await ask(`${origin}/`)).text();
  const curl = page.slice(page.indexOf('<h2>curl'), page.indexOf('<h2>Entra'));
  const onPage = [...curl.matchAll(/<pre[^>]*>([^<]*)</g)].flatMap(([, text = '']) => unescape(text).split('\n'));
  assert.equal(printed.length, 3);
  assert.deepEqual(
    onPage.slice(0, 3),
    printed.map((line) => line.trim()),
  );
  return onPage;
}

function unescape(html: string): string {
  return html.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** Runs the lines in one shell, as pasted, and answers with what each printed. */
async function paste(project: string, lines: string[]): Promise<string[]> {
  const script = lines.map((line) => `${line}\necho '=== next'\n`).join('');
  const { stdout } = await run('sh', ['-c', script], {}, project);
  return stdout.split('=== next\n').map((text) => text.trim());
}

test('a .env that cannot be read ends npm run dev with what is wrong, and no stack', async (t) => {
  const project = await copyProject(t);
  await mkdir(join(project, '.env'));
  const development = startDevelopment(t, project);

  assert.equal(await development.ended, 1);
  assert.match(development.output.stderr, /\.env is a directory, expected a text file/);
  assert.doesNotMatch(development.output.stderr, /^\s+at /m);
});

test('what npm run dev prints works as printed, even where .env holds the settings of production', async (t) => {
  const project = await copyProject(t);
  await writeFile(join(project, '.env'), productionSettings);
  const development = startDevelopment(t, project);
  const lines = await printedCommands(t, development, project);

  const [, created, list, , one, completed, removed, , ofAlice, iosCreated, iosList, iosRemoved] = await paste(
    project,
    lines,
  );

  const task = JSON.parse(created ?? '') as { _id: string; Text: string };
  assert.equal(task.Text, 'Buy milk');
  assert.deepEqual(JSON.parse(list ?? ''), [task]);
  assert.deepEqual(JSON.parse(one ?? ''), task);
  assert.equal((JSON.parse(completed ?? '') as { completed: boolean }).completed, true);
  assert.match(removed ?? '', /^HTTP\/1\.1 204 /);
  assert.equal(ofAlice, '[]');
  const iosTask = JSON.parse(iosCreated ?? '') as { task: string };
  assert.equal(iosTask.task, 'Walk the dog');
  assert.deepEqual(JSON.parse(iosList ?? ''), [iosTask]);
  assert.match(iosRemoved ?? '', /^HTTP\/1\.1 204 /);
  assert.match(
    development.output.stdout,
    /Ignored in development.*: MONGODB_URI, B2C_TENANT_NAME, B2C_POLICY_NAME, B2C_CLIENT_ID, B2C_ISSUER\./,
  );
  assert.equal(await development.end('SIGINT'), 0);
  assert.equal(development.output.stderr, '');
});

test('a taken port is named before anything starts', async (t) => {
  const project = await copyProject(t);
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  t.after(() => squatter.close());
  const { port } = squatter.address() as AddressInfo;

  const development = startDevelopment(t, project, { PORT: String(port) });

  assert.equal(await development.ended, 1);
  assert.match(
    development.output.stderr,
    new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is in use: .*PORT=3001 npm run dev`),
  );
  assert.equal(development.output.stdout, '');
});

const unusable = {
  CORS_ORIGINS: [{ CORS_ORIGINS: 'nonsense' }, /CORS_ORIGINS is "nonsense".*, expected/],
  PORT: [{ PORT: '99999' }, /PORT is "99999", expected a TCP port/],
  // An address for documentation, which no machine has.
  HOST: [{ PORT: '0', HOST: '192.0.2.1' }, /cannot listen on PORT 0 of HOST 192\.0\.2\.1/],
} as const;
for (const [name, [settings, said]] of Object.entries(unusable)) {
  test(`an API that cannot start with its ${name} says why, and npm run dev ends with it`, async (t) => {
    const project = await copyProject(t);

    const development = startDevelopment(t, project, settings);

    assert.equal(await development.ended, 1);
    assert.match(development.output.stdout + development.output.stderr, said);
    assert.match(development.output.stderr, /The API ended \(exit code 1\) before it was ready/);
  });
}

test('without the development dependencies npm run dev says what to install', async (t) => {
  const project = await copyProject(t, { without: ['selfsigned'] });

  const { code, stdout, stderr } = await run(process.execPath, ['src/local/main.ts'], { PORT: '0' }, project);

  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
  assert.match(stderr, /^The package "selfsigned" is not installed\..*run `npm ci` without --omit=dev/);
});
