/** GET /docs: the API document as a page that needs nothing else: no script, no font, no other host. */
import { createHash } from 'node:crypto';
import type { HeaderMap } from '../../errors.ts';
import type { ApiDocument } from '../openapi/types.ts';

const STYLE = 'body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:auto;padding:1rem}';

export function docsPage({ info }: ApiDocument): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${info.title}</h1>
<p>${info.description}</p>
</body>
</html>
`;
}

/** Only the style sheet of the page itself is let in. */
export const docsHeaders: HeaderMap = {
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Referrer-Policy': 'no-referrer',
};
