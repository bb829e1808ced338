import { NotFoundError } from '../../errors.ts';
import { open } from '../../http/accept.ts';
import type { Operation } from '../../http/operation.ts';
import { answer, ifNoneMatch, parameter } from '../../http/schema.ts';
import type { DocsSite } from './index.ts';

const fingerprint = parameter('Fingerprint', {
  name: 'fingerprint',
  in: 'path',
  required: true,
  description: 'Of all files of the page together. Those of another are what they are now, and not to be kept.',
  schema: { type: 'string' },
});
const file = parameter('DocsFile', {
  name: 'file',
  in: 'path',
  required: true,
  description: 'As the page names it.',
  schema: { type: 'string' },
});

/** The page and its files. */
export function docsOperations(docs: DocsSite): Operation[] {
  const text = { type: 'string' };
  return [
    {
      name: 'GetDocs',
      method: 'GET',
      path: '/docs',
      guard: open,
      tag: 'Service',
      summary: 'This page',
      description: 'Where there is an application for it, readers sign in and try each operation.',
      parameters: [ifNoneMatch],
      answers: {
        200: {
          description: 'A page',
          content: { 'text/html': { schema: text } },
          headers: ['ETag', 'Content-Security-Policy'],
        },
        303: answer('To the path without a slash at its end', undefined, undefined, ['Location']),
        304: answer('You have it already', undefined, undefined, ['ETag', 'Content-Security-Policy']),
      },
      handle: ({ receivedPath }) => {
        // What the page refers to is relative, and would be looked for in a folder.
        const slashes = /\/*$/.exec(receivedPath)?.[0].length ?? 0;
        if (slashes > 0) return { status: 303, headers: { Location: `${'../'.repeat(slashes)}docs` } };
        return docs.page();
      },
    },
    {
      name: 'GetDocsFile',
      method: 'GET',
      path: '/docs/:fingerprint/:file',
      guard: open,
      tag: 'Service',
      summary: 'A file of this page',
      description: 'Kept for good: other contents are under another fingerprint.',
      parameters: [fingerprint, file, ifNoneMatch],
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
        304: answer('You have it already', undefined, undefined, ['ETag']),
      },
      problems: [NotFoundError],
      handle: ({ params }) => docs.file(params['fingerprint'] ?? '', params['file'] ?? ''),
    },
  ];
}
