/** Compares the documents with what is there. `docsExamples.test.ts` runs their examples. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { variables } from '../config/variables.ts';
import packageJson from '../package.json' with { type: 'json' };
import * as errors from '../src/errors.ts';

const ROOT = resolve(import.meta.dirname, '..');
const DOCUMENTS = globSync(['*.md', 'docs/*.md', 'src/local/*.md'], { cwd: ROOT });

/** Read by Node, by npm, by libraries, by the tests, or by `npm run dev` alone. */
const OTHER_VARIABLES = [
  ...['NODE_ENV', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE'],
  ...['HTTPS_PROXY', 'NO_PROXY', 'TEST_MONGODB_URI', 'CHROMIUM', 'DEV_DATA_DIR'],
];

test('every link leads somewhere', () => {
  const broken = DOCUMENTS.flatMap((document) =>
    [...read(document).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
      .filter(([, path = '', anchor]) => !leads(document, path, anchor))
      .map(([link]) => `${document}: ${link}`),
  );

  assert.ok(DOCUMENTS.length >= 8);
  assert.deepEqual(broken, []);
});

test('every command that is named exists', () => {
  const named = texts(/npm run (?:-s )?([a-z]+)/g);

  assert.ok(named.size >= 6);
  assert.deepEqual(
    [...named].filter((name) => !(name in packageJson.scripts)),
    [],
  );
});

test('every environment variable that is named exists', () => {
  const known = [...Object.values(variables).map(({ name }) => name), ...OTHER_VARIABLES];

  const named = texts(/\b((?:[A-Z][A-Z0-9]*_)+[A-Z0-9]+)\b(?!\*)/g);

  assert.ok(named.size >= 20);
  assert.deepEqual(
    [...named].filter((name) => !known.includes(name)),
    [],
  );
});

test('every source file that is named exists', () => {
  const named = DOCUMENTS.flatMap((document) =>
    [...read(document).matchAll(/`([\w/]+\.ts)`/g)].map(([, path = '']) => ({ document, path })),
  );
  const places = ({ document, path }: { document: string; path: string }) =>
    [path, join('src', path), join(dirname(document), path)].map((place) => join(ROOT, place));

  assert.ok(named.length >= 40);
  assert.deepEqual(
    named.filter((one) => !places(one).some((place) => existsSync(place))),
    [],
  );
});

test('the table of errors is complete', () => {
  const classes = Object.values(errors).flatMap((value) => ('example' in value ? [value.example] : []));
  const real = classes.map(({ statusCode, code }) => `${statusCode} ${code}`);

  const table = read('docs/api.md').split('## 11. Errors')[1]?.split('\n## ')[0] ?? '';
  const listed = [...table.matchAll(/^\| (\d{3}) +\| (.*) \|$/gm)].flatMap(([, status, codes = '']) =>
    [...codes.matchAll(/`([A-Z][a-z]\w+)`/g)]
      .filter(([, code]) => code !== 'Accept')
      .map(([, code]) => `${status} ${code}`),
  );

  assert.deepEqual(listed.sort(), [...new Set(real)].sort());
});

/** Whether a file, and in it a heading as GitHub makes an anchor of it, is there. */
function leads(from: string, path: string, anchor: string | undefined): boolean {
  const target = path === '' ? from : join(dirname(from), path);
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || anchors(read(target)).includes(anchor);
}

function anchors(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What the pattern's group matches in any of the documents. */
function texts(pattern: RegExp): Set<string> {
  return new Set(DOCUMENTS.flatMap((document) => [...read(document).matchAll(pattern)].map(([, text = '']) => text)));
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
