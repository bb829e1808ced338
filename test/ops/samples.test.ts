import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Script } from 'node:vm';
import type { Operation } from '../../src/http/operation.ts';
import { samplesFor, SERVER } from '../../src/ops/docs/samples.ts';
import { startServer } from '../support/server.ts';
import { declared } from './document.ts';

function named(id: string): Operation {
  const found = declared.find(({ name }) => name === id);
  assert.ok(found, id);
  return found;
}

/** Runs it as a reader who pastes it would. */
async function paste(sample: string, url: string, token: string): Promise<unknown> {
  const command = sample.replaceAll(SERVER, url);
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { env: { ...process.env, TOKEN: token } });
  return JSON.parse(stdout);
}

test('the samples for curl work as they are', async (t) => {
  const server = await startServer(t);
  const token = server.tenant.issueToken({ oid: 'alice' });

  const created = (await paste(samplesFor(named('CreateTask')).curl, server.url, token)) as { Text: string };
  const list = await paste(samplesFor(named('ListTasks')).curl, server.url, token);

  assert.equal(created.Text, 'Buy milk');
  assert.deepEqual(list, [created]);
});

test('the samples for JavaScript work as they are', async (t) => {
  const server = await startServer(t);
  const token = server.tenant.issueToken({ oid: 'alice' });
  const sample = samplesFor(named('CreateTask')).JavaScript.replaceAll(SERVER, server.url);
  const printed: string[] = [];

  const run = new Script(`(async () => { ${sample} })()`).runInNewContext({
    fetch,
    token,
    console: { log: (text: string) => printed.push(text) },
  }) as Promise<void>;
  await run;

  assert.equal((JSON.parse(printed.join('')) as { Text: string }).Text, 'Buy milk');
});

test('every operation has a sample in each language that names its method and its path', () => {
  for (const operation of declared) {
    const samples = Object.entries(samplesFor(operation));
    assert.equal(samples.length, 4);
    for (const [language, sample] of samples) {
      assert.match(sample, /\{server\}\/[\w/%.-]*["']/, `${language}: ${operation.name}`);
      if (!['GET', 'POST'].includes(operation.method)) assert.ok(sample.includes(operation.method), sample);
      new Script(language === 'JavaScript' ? `(async () => { ${sample} })` : '');
    }
  }
});

test('a sample carries whatever text there is', () => {
  const text = 'It\'s "$5" \\ `now`';
  const { body, ...create } = named('CreateTask');
  const media = body?.content['application/json'];
  assert.ok(media);
  const content = { 'application/json': { ...media, examples: { odd: { summary: 'Odd', value: { Text: text } } } } };

  const { curl, Kotlin, Swift } = samplesFor({ ...create, body: { ...body, content } });

  assert.match(curl, /-d '\{"Text": "It'\\''s \\"\$5\\" \\\\ `now`"\}'/);
  assert.match(Swift, /#"\{"Text": "It's \\"\$5\\" \\\\ `now`"\}"#/);
  assert.match(Kotlin, /"""\{"Text": "It's \\"\$\{'\$'\}5\\" \\\\ `now`"\}"""/);
});
