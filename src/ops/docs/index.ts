/** The documentation page and its files, made on first use: before that, none of it is in memory. */
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { NotFoundError } from '../../errors.ts';
import { open } from '../../http/accept.ts';
import type { Answer } from '../../http/answer.ts';
import type { Operation } from '../../http/operation.ts';
import { answer, ifNoneMatch, inPath } from '../../http/schema.ts';
import { kept, once } from '../kept.ts';
import { docsPage, pageHeaders, type PageParts } from './page.ts';
import { notesOn } from './samples.ts';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json',
};

const SCRIPTS = ['main.js', 'account.js', 'explorer.js', 'mend.js', 'notes.js', 'search.js', 'signIn.js', 'page.css'];

/** Where each file of the page comes from. */
const SOURCES: Readonly<Record<string, string>> = {
  'swagger-ui-bundle.js': import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js'),
  'swagger-ui.css': import.meta.resolve('swagger-ui-dist/swagger-ui.css'),
  'oauth4webapi.js': import.meta.resolve('oauth4webapi'),
  ...Object.fromEntries(SCRIPTS.map((name) => [name, import.meta.resolve(`./browser/${name}`)])),
};

/** The page and its files. */
export function docsOperations(partsOf: () => PageParts): Operation[] {
  const files = once(() => readFiles(partsOf()));
  const page = once(async () => {
    const parts = partsOf();
    const text = docsPage(parts, `docs/${(await files()).fingerprint}`);
    return await kept(text, { contentType: 'text/html; charset=utf-8', headers: pageHeaders(parts.signIn) });
  });
  const text = { type: 'string' };
  const shared = { method: 'GET', guard: open, tag: 'Service' } as const;
  return [
    {
      ...shared,
      name: 'GetDocs',
      path: '/docs',
      summary: 'This page',
      description: 'Readers can try each operation, signed in or with a pasted token.',
      parameters: [ifNoneMatch],
      answers: {
        200: {
          description: 'A page',
          content: { 'text/html': { schema: text } },
          headers: ['ETag', 'Content-Security-Policy'],
        },
        303: answer('To the path without a trailing slash', undefined, undefined, ['Location']),
        304: answer('Your copy is current', undefined, undefined, ['ETag', 'Content-Security-Policy']),
      },
      handle: ({ receivedPath }) => {
        // The page's references are relative: after a slash they would lead into a folder.
        const slashes = /\/*$/.exec(receivedPath)?.[0].length ?? 0;
        if (slashes > 0) return { status: 303, headers: { Location: `${'../'.repeat(slashes)}docs` } };
        return page();
      },
    },
    {
      ...shared,
      name: 'GetDocsFile',
      path: '/docs/:fingerprint/:file',
      summary: 'A file of this page',
      description: 'May be cached for ever: changed contents get another fingerprint.',
      parameters: [
        inPath(
          'Fingerprint',
          'fingerprint',
          'Of all the page’s files. With another one you get the current file, which must not be cached.',
        ),
        inPath('DocsFile', 'file', 'Its name.'),
        ifNoneMatch,
      ],
      answers: {
        200: {
          description: 'Its text',
          content: {
            'text/javascript': { schema: text },
            'text/css': { schema: text },
            'application/json': { schema: { type: 'object' } },
          },
          headers: ['ETag'],
        },
        304: answer('Your copy is current', undefined, undefined, ['ETag']),
      },
      problems: [NotFoundError],
      handle: async ({ params: { fingerprint, file = '' } }) => {
        const known = await files();
        const make = known.byName.get(file);
        if (make === undefined) throw new NotFoundError();
        // While two versions run side by side, a page of one may ask the other: it gets a file, but must not cache it.
        const isCurrent = fingerprint === known.fingerprint;
        return { ...(await make()), headers: { 'Cache-Control': isCurrent ? IMMUTABLE : 'no-cache' } };
      },
    },
  ];
}

const IMMUTABLE = 'public, max-age=31536000, immutable';

interface Files {
  byName: ReadonlyMap<string, () => Promise<Answer>>;
  /** Of all files together, so that they can refer to each other by name. */
  fingerprint: string;
}

async function readFiles({ operations }: PageParts): Promise<Files> {
  const read = Object.entries(SOURCES).map(
    async ([name, url]) => [name, await readFile(new URL(url), 'utf8')] as const,
  );
  const texts = [...(await Promise.all(read)), ['notes.json', JSON.stringify(notesOn(operations))] as const];
  const all = texts.map(([, text]) => text).join('');
  return {
    byName: new Map(texts.map(([name, text]) => [name, once(() => kept(text, { contentType: contentType(name) }))])),
    fingerprint: hash('sha256', all, 'base64url').slice(0, 16),
  };
}

function contentType(name: string): string {
  return CONTENT_TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
}
