import type { ApiDocument } from './types.ts';

const document: ApiDocument = {
  openapi: '3.1.1',
  info: {
    title: 'Tasks API',
    version: '0.1.0',
    description: "People's to-do tasks, each visible to its owner alone.",
    license: { name: 'MIT', identifier: 'MIT' },
  },
  // Relative to the document, so that a path prefix of a proxy does no harm.
  servers: [{ url: './', description: 'This server' }],
  security: [{ bearer: [] }],
  tags: [],
  paths: {},
  components: {
    schemas: {},
    parameters: {},
    headers: {},
    examples: {},
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
  },
};

/** What `GET /openapi.json` answers. */
export function apiDocument(): ApiDocument {
  return document;
}
