import packageJson from '../../../package.json' with { type: 'json' };
import { headers } from './headers.ts';
import { parameters } from './parameters.ts';
import { problemExample, problems } from './problems.ts';
import { changesPaths } from './routes/changes.ts';
import { collectionPaths } from './routes/collection.ts';
import { firstClientsPaths } from './routes/firstClients.ts';
import { helloPaths } from './routes/hello.ts';
import { namedPaths } from './routes/named.ts';
import { opsPaths } from './routes/ops.ts';
import { singlePaths } from './routes/single.ts';
import { schemas } from './schemas.ts';
import { shareResponses } from './share.ts';
import type { ApiDocument, Example } from './types.ts';

const examples = Object.fromEntries(
  [...problems].map(([code, problem]): [string, Example] => [code, problemExample(problem)]),
);

const { paths, responses } = shareResponses({
  ...collectionPaths,
  ...changesPaths,
  ...singlePaths,
  ...namedPaths,
  ...firstClientsPaths,
  ...helloPaths,
  ...opsPaths,
});

const document: ApiDocument = {
  openapi: '3.1.1',
  info: {
    title: 'Tasks API',
    version: packageJson.version,
    description:
      'People’s to-do tasks. Each user sees their own and nobody else’s; who calls is said by the access token of ' +
      'Azure AD B2C that comes with each request. Doubled and trailing slashes in a path are cleaned up.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  // Relative to the document, so that a path prefix of a proxy does no harm.
  servers: [{ url: './', description: 'The server that this document came from' }],
  security: [{ bearer: [] }],
  tags: [
    { name: 'Tasks', description: 'What this is about.' },
    { name: 'Sync', description: 'For clients that keep their tasks and are not always online.' },
    { name: 'Tasks by text', description: 'A task addressed by what it says, as in the tutorial.' },
    { name: 'First clients', description: 'What the original iOS and Android apps call. Errors are plain text.' },
    { name: 'Hello', description: 'Who am I?' },
    { name: 'Service', description: 'For operators and newcomers. Open to all, and not throttled.' },
  ],
  paths,
  components: {
    schemas,
    responses,
    parameters,
    headers,
    examples,
    securitySchemes: {
      bearer: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'An access token of the tenant, in `Authorization: Bearer …` and nowhere else.',
      },
    },
  },
};

/** What `GET /openapi.json` answers. */
export function apiDocument(): ApiDocument {
  return document;
}
