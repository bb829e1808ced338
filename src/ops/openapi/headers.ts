import type { Header } from './types.ts';

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };

export const headers = {
  ETag: { description: 'The state of what is sent, for `If-Match` and `If-None-Match`.', schema: text },
  Link: {
    description:
      'The next page, `<…>; rel="next"` (RFC 8288), relative to this one. Not on the last. A page that would become larger than 4 MB ends before its limit.',
    schema: text,
  },
  Location: {
    description: 'Where the new task is, relative to this URL.',
    schema: { ...text, format: 'uri-reference' },
  },
  'Retry-After': { description: 'Seconds to wait before trying again.', schema: { type: 'integer', minimum: 1 } },
  'WWW-Authenticate': { description: 'What the token lacks (RFC 6750, section 3).', schema: text },
  'RateLimit-Limit': { description: 'Requests that your full bucket holds.', schema: count },
  'RateLimit-Remaining': { description: 'Requests that are left in it.', schema: count },
  'RateLimit-Reset': { description: 'Seconds until it is full again.', schema: count },
  'X-Request-Id': {
    description: 'Names this request in the logs: yours, when it is 1 to 64 of `[A-Za-z0-9._-]`.',
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
  },
  'Content-Security-Policy': { description: 'Lets in nothing but the page’s own style.', schema: text },
} satisfies Record<string, Header>;

export type HeaderName = keyof typeof headers;
