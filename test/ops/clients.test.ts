/** Clients that generators make of the API document: they are type-checked, and used against a server. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createClient } from '@hey-api/openapi-ts';
import openapiTypescript, { astToString } from 'openapi-typescript';
import { temporaryDirectory } from '../support/directory.ts';
import { startServer } from '../support/server.ts';
import { document } from './document.ts';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

test('openapi-typescript and openapi-fetch make a client that works, and that refuses wrong bodies', async (t) => {
  const directory = await projectOf(t, OPENAPI_FETCH);
  await writeFile(
    join(directory, 'schema.ts'),
    astToString(await openapiTypescript(structuredClone(document) as never)),
  );

  await assertWorks(t, directory);
});

test('@hey-api/openapi-ts makes a client that works, and that refuses wrong bodies', async (t) => {
  const directory = await projectOf(t, HEY_API);
  await createClient({
    input: structuredClone(document),
    output: { path: join(directory, 'client'), module: { extension: '.ts' } },
    plugins: ['@hey-api/client-fetch', '@hey-api/sdk', '@hey-api/typescript'],
    logs: { level: 'silent', file: false },
  });

  await assertWorks(t, directory);
});

// Each program does the same. A line under @ts-expect-error must be wrong: if it is not, the type check fails.

const OPENAPI_FETCH = `
import createClient from 'openapi-fetch';
import type { paths } from './schema.ts';

export async function run(baseUrl: string, token: string) {
  const client = createClient<paths>({ baseUrl, headers: { Authorization: 'Bearer ' + token } });
  const { data: created } = await client.POST('/api/tasks', { body: { Text: 'Buy milk', completed: true } });
  if (created === undefined) throw new Error('not created');
  const params = { path: { id: created._id } };
  const { data: patched } = await client.PATCH('/api/tasks/{id}', { params, body: { notes: 'Oat milk' } });
  const { data: listed } = await client.GET('/api/tasks', { params: { query: { completed: true, limit: 5 } } });
  const { data: changes } = await client.GET('/api/tasks/changes');
  const operations = [{ method: 'PATCH' as const, path: '/api/tasks/' + created._id, body: { due: '2026-11-24' } }];
  const { data: batch } = await client.POST('/api/batch', { body: { operations } });
  const { data: read } = await client.GET('/api/tasks/{id}', { params });
  const { response: deleted } = await client.DELETE('/api/tasks/{id}', { params });
  const { error } = await client.GET('/api/tasks/{id}', { params });
  const text: string | undefined = read?.Text;
  const due: string | null | undefined = read?.due;
  return { created, patched, listed, changes, batch, text, due, deleted: deleted.status, code: error?.code };
}

export function wrong(client: ReturnType<typeof createClient<paths>>, params: { path: { id: string } }) {
  // @ts-expect-error
  void client.POST('/api/tasks', { body: { Text: 'Buy milk', completed: 'yes' } });
  // @ts-expect-error
  void client.POST('/api/tasks', { body: { completed: true } });
  // @ts-expect-error
  void client.POST('/api/tasks');
  // @ts-expect-error
  void client.PATCH('/api/tasks/{id}', { params, body: { importance: 'urgent' } });
  // @ts-expect-error
  void client.PUT('/api/tasks/{id}', { params, body: { Text: 'Buy milk', due: 20261124 } });
  // @ts-expect-error
  void client.POST('/api/batch', { body: { operations: [{ method: 'OPTIONS', path: '/api/tasks' }] } });
  // @ts-expect-error
  void client.GET('/api/tasks', { params: { query: { sort: 'colour' } } });
}
`;

const HEY_API = `
import { createClient } from './client/client/index.ts';
import {
  batch as sendBatch, createTask, deleteTask, getTask, listChanges, listTasks, patchTask, replaceTask,
} from './client/index.ts';

export async function run(baseUrl: string, token: string) {
  const client = createClient({ baseUrl, auth: token });
  const { data: created } = await createTask({ client, body: { Text: 'Buy milk', completed: true } });
  if (created === undefined) throw new Error('not created');
  const path = { id: created._id };
  const { data: patched } = await patchTask({ client, path, body: { notes: 'Oat milk' } });
  const { data: listed } = await listTasks({ client, query: { completed: true, limit: 5 } });
  const { data: changes } = await listChanges({ client });
  const operations = [{ method: 'PATCH' as const, path: '/api/tasks/' + created._id, body: { due: '2026-11-24' } }];
  const { data: batch } = await sendBatch({ client, body: { operations } });
  const { data: read } = await getTask({ client, path });
  const { response: deleted } = await deleteTask({ client, path });
  const { error } = await getTask({ client, path });
  const text: string | undefined = read?.Text;
  const due: string | null | undefined = read?.due;
  return { created, patched, listed, changes, batch, text, due, deleted: deleted?.status, code: error?.code };
}

export function wrong(path: { id: string }) {
  // @ts-expect-error
  void createTask({ body: { Text: 'Buy milk', completed: 'yes' } });
  // @ts-expect-error
  void createTask({ body: { completed: true } });
  // @ts-expect-error
  void createTask();
  // @ts-expect-error
  void patchTask({ path, body: { importance: 'urgent' } });
  // @ts-expect-error
  void replaceTask({ path, body: { Text: 'Buy milk', due: 20261124 } });
  // @ts-expect-error
  void sendBatch({ body: { operations: [{ method: 'OPTIONS', path: '/api/tasks' }] } });
  // @ts-expect-error
  void listTasks({ query: { sort: 'colour' } });
}
`;

interface Task {
  _id: string;
  Text: string;
  completed: boolean;
  notes: string | null;
}

/** What a program found. */
interface Outcome {
  created: Task;
  patched: Task;
  listed: Task[];
  changes: { changed: Task[]; removed: string[]; next: string; more: boolean };
  batch: { results: { status: number; body: Task }[] };
  text: string;
  due: string;
  deleted: number;
  code: string;
}

/** A directory with the program and what its types are checked with. */
async function projectOf(t: TestContext, program: string): Promise<string> {
  const directory = await temporaryDirectory(t);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2024',
    lib: ['es2024', 'dom', 'dom.iterable'],
    module: 'nodenext',
    types: [],
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  };
  await symlink(MODULES, join(directory, 'node_modules'));
  await writeFile(join(directory, 'package.json'), JSON.stringify({ type: 'module' }));
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
  await writeFile(join(directory, 'program.ts'), program);
  return directory;
}

async function assertWorks(t: TestContext, directory: string): Promise<void> {
  assert.equal(await typeErrors(directory), '');
  const { url, tenant } = await startServer(t);
  const { run } = (await import(pathToFileURL(join(directory, 'program.ts')).href)) as {
    run: (url: string, token: string) => Promise<Outcome>;
  };

  const outcome = await run(url, tenant.issueToken({ oid: 'alice' }));

  const { _id, Text, completed } = outcome.created;
  assert.deepEqual({ Text, completed }, { Text: 'Buy milk', completed: true });
  // Nothing but the notes was sent, so it is still done.
  assert.deepEqual([outcome.patched.notes, outcome.patched.completed], ['Oat milk', true]);
  assert.deepEqual(outcome.listed, [outcome.patched]);
  assert.deepEqual(outcome.changes.changed, [outcome.patched]);
  assert.deepEqual(
    outcome.batch.results.map(({ status, body }) => [status, body._id]),
    [[200, _id]],
  );
  assert.deepEqual([outcome.text, outcome.due], ['Buy milk', '2026-11-24']);
  assert.deepEqual([outcome.deleted, outcome.code], [204, 'TaskNotFound']);
}

/** What the compiler has to say; nothing if all is well. */
function typeErrors(directory: string): Promise<string> {
  const compiler = join(MODULES, 'typescript', 'bin', 'tsc');
  return new Promise((resolve) => {
    execFile(process.execPath, [compiler, '-p', directory], (error, stdout) => {
      resolve(error === null ? '' : stdout || error.message);
    });
  });
}
