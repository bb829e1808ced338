/** The API document as a client gets it, and questions that several tests ask about it. */
import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { createAuthentication } from '../../src/auth/index.ts';
import { loadConfig } from '../../src/config.ts';
import { Database } from '../../src/database/database.ts';
import { headName } from '../../src/http/mount.ts';
import { createLog } from '../../src/log.ts';
import { authorityOf } from '../../src/ops/authority.ts';
import { type ApiDocument, documentOf } from '../../src/ops/document.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { createServer } from '../../src/server.ts';

export type Json = Record<string, unknown>;

/** What a server with these settings, which listens nowhere, does and says of itself. */
function served(env: Record<string, string>) {
  const config = loadConfig({ MONGODB_URI: 'mongodb://localhost/none', ...env });
  const [log, clock] = [createLog('fatal', process.stdout), Date];
  const database = new Database({ uri: config.mongodbUri, clock, log });
  const authentication = createAuthentication({ config, clock, log });
  const { operations } = createServer({ config, log, clock, database, authentication, metrics: createMetrics() });
  const document = JSON.parse(JSON.stringify(documentOf(operations, authorityOf(config)))) as Json & ApiDocument;
  return { document, operations };
}

export function documentFor(env: Record<string, string>): Json & ApiDocument {
  return served(env).document;
}

export const { document, operations: declared } = served({
  B2C_TENANT_NAME: 'contoso',
  B2C_POLICY_NAME: 'b2c_1_susi',
  B2C_CLIENT_ID: '11111111-2222-3333-4444-555555555555',
});

export interface DocumentedOperation {
  path: string;
  method: string;
  operation: Json & { operationId: string; responses: Json; security?: [] };
}

export function operations(): DocumentedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method !== 'parameters')
      .map(([method, operation]) => ({
        path,
        method,
        operation: operation as DocumentedOperation['operation'],
      })),
  );
}

/** The value, or what it refers to. */
export function resolved(value: unknown): unknown {
  const { $ref } = value as { $ref?: string };
  return $ref === undefined ? value : at($ref.split('/').slice(1));
}

/** Validates a value against the schema at that place in the document, where its references make sense. */
export function assertValid(path: readonly string[], value: unknown): void {
  const pointer = path.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const check = ajv.compile({ $ref: `api#/${pointer}` });
  assert.ok(check(value), `${pointer}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(value)}`);
}

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(document, 'api');

function at(path: readonly string[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Json)[part], document);
}

// All that a client might act on; what is not listed here is common to all HTTP.
const TELLING = /^(etag|link|location|retry-after|www-authenticate|ratelimit-.*|x-request-id|content-security-policy)$/;

/** Asserts that the document says so: the status, the headers that tell something, the type, and the body. */
export async function assertDocumented(operationId: string, response: Response): Promise<void> {
  const isHead = operationId.includes('Head');
  const found = operations().find(({ operation }) =>
    isHead ? headName(operation.operationId) === operationId : operation.operationId === operationId,
  );
  assert.ok(found, operationId);
  const place = ['paths', found.path, found.method, 'responses', String(response.status)];
  const given = at(place);
  assert.ok(given, `${operationId} answers ${response.status}: ${await response.clone().text()}`);
  const { headers, content = {} } = given as { headers: Json; content?: Json };
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  for (const name of response.headers.keys()) {
    assert.ok(!TELLING.test(name) || names.includes(name), `${operationId}: ${name}`);
  }
  const type = response.headers.get('content-type')?.split(';', 1)[0];
  if (isHead || response.status === 204 || response.status === 304) return;
  assert.ok(type !== undefined && type in content, `${operationId}: ${type}`);
  const body = type.endsWith('json') ? await response.json() : await response.text();
  assertValid([...place, 'content', type, 'schema'], body);
}
