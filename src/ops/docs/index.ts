/** The documentation page and its files, made when they are first asked for: none of it is in memory before. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { NotFoundError } from '../../errors.ts';
import type { Answer } from '../../http/answer.ts';
import type { ApiDocument } from '../openapi/types.ts';
import { listOperations } from './list.ts';
import { notesOn } from './notes.ts';
import { docsPage, pageHeaders } from './page.ts';
import type { SignIn } from './signIn.ts';

export interface DocsSite {
  page(): Promise<Answer>;
  /**
   * A file that the page refers to. One that a page of another version asks for is what it is now.
   *
   * @throws {NotFoundError} when the page has no such file.
   */
  file(fingerprint: string, name: string): Promise<Answer>;
}

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

const compress = promisify(gzip);

/** @param signIn where readers of the page sign in; without it they paste a token */
export function docsSite(documentOf: () => ApiDocument, signIn?: SignIn): DocsSite {
  const files = once(() => readFiles(documentOf()));
  const page = once(async () => {
    const text = docsPage(documentOf(), signIn, `docs/${(await files()).fingerprint}`);
    return prepared(text, 'text/html; charset=utf-8', pageHeaders(signIn));
  });
  return {
    page,
    async file(fingerprint, name) {
      const known = await files();
      const file = known.byName.get(name);
      if (file === undefined) throw new NotFoundError();
      // While two versions run side by side, a page of one may ask the other: it gets a file, but may not keep it.
      const isCurrent = fingerprint === known.fingerprint;
      return { ...(await file()), headers: { 'Cache-Control': isCurrent ? IMMUTABLE : 'no-cache' } };
    },
  };
}

const IMMUTABLE = 'public, max-age=31536000, immutable';

interface Files {
  byName: ReadonlyMap<string, () => Promise<Answer>>;
  /** Of all of them together, so that they can refer to each other by name. */
  fingerprint: string;
}

async function readFiles(document: ApiDocument): Promise<Files> {
  const read = Object.entries(SOURCES).map(
    async ([name, url]) => [name, await readFile(new URL(url), 'utf8')] as const,
  );
  const notes = JSON.stringify(notesOn(listOperations(document)));
  const texts = [...(await Promise.all(read)), ['notes.json', notes] as const];
  const hash = createHash('sha256');
  for (const [, text] of texts) hash.update(text);
  return {
    byName: new Map(texts.map(([name, text]) => [name, once(() => prepared(text, contentType(name)))])),
    fingerprint: hash.digest('base64url').slice(0, 16),
  };
}

function contentType(name: string): string {
  return CONTENT_TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
}

/** Compressed once, beside the requests of others: Swagger UI alone takes a tenth of a second. */
async function prepared(body: string, contentType: string, headers: Answer['headers'] = {}): Promise<Answer> {
  const etag = createHash('sha256').update(body).digest('base64url').slice(0, 27);
  return { status: 200, body, contentType, etag, gzip: await compress(body), headers };
}

/** Made when it is first asked for; again when that failed. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
