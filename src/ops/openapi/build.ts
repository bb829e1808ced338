/** The small functions that the operations are written with. */
import { STATUS_CODES } from 'node:http';
import type { HeaderName } from './headers.ts';
import type { ParameterName } from './parameters.ts';
import { problem } from './problems.ts';
import type { SchemaName } from './schemas.ts';
import type { Example, MediaType, Operation, Reference, RequestBody, Response, Schema } from './types.ts';

/** What can go wrong with any request at all. */
const ANY = [
  'BadRequest',
  'RequestTimeout',
  'ExpectationFailed',
  'RequestHeaderFieldsTooLarge',
  'InternalError',
  'NotImplemented',
  'VersionNotSupported',
];
/** What stands between a request and somebody's tasks. */
const SIGNED_IN = [
  ...['InvalidRequest', 'Unauthorized', 'InsufficientScope', 'NotRegistered', 'NotAcceptable', 'TooManyRequests'],
  ...['TenantUnavailable', 'StoreUnavailable'],
];
const RATE_LIMIT: readonly HeaderName[] = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'];

/** Codes of a route that reads a body. */
export const BODY = ['InvalidContent', 'InvalidTask', 'MissingTask', 'PayloadTooLarge', 'UnsupportedMediaType'];

export interface OperationParts {
  id: string;
  tag: string;
  summary: string;
  description?: string;
  isDeprecated?: true;
  parameters?: readonly ParameterName[];
  body?: RequestBody;
  /** By status. */
  answers: Record<number, Response>;
  /** Codes beyond those that every operation of its kind has. */
  problems?: readonly string[];
  /** Errors are sent as text/plain. */
  isPlainText?: boolean;
}

export function schema(name: SchemaName): Schema & Reference {
  return { $ref: `#/components/schemas/${name}` };
}

export function content(mediaType: string, of: Schema, examples?: Record<string, Example>): Record<string, MediaType> {
  return { [mediaType]: { schema: of, ...(examples && { examples }) } };
}

export function json(of: Schema, examples?: Record<string, Example>): Record<string, MediaType> {
  return content('application/json', of, examples);
}

export function example(summary: string, value: unknown): Example {
  return { summary, value };
}

export function answer(
  description: string,
  body?: Record<string, MediaType>,
  headers: readonly HeaderName[] = [],
): Response {
  return { description, headers: headerReferences(headers), ...(body && { content: body }) };
}

/** An operation that is open to all. */
export function openOperation(parts: OperationParts): Operation {
  return { ...operation(parts, ANY, []), security: [] };
}

/** An operation that needs a token, and is throttled. */
export function signedInOperation(parts: OperationParts): Operation {
  return operation(parts, [...ANY, ...SIGNED_IN], RATE_LIMIT);
}

/** HEAD beside a GET: the same without bodies. */
export function headOf(get: Operation, operationId: string): Operation {
  return { ...get, operationId, summary: `${get.summary} (headers only)`, responses: withoutBodies(get.responses) };
}

// The errors keep theirs, and so are the same as those of GET.
function withoutBodies(responses: Operation['responses']): Operation['responses'] {
  const bare = Object.entries(responses).map(([status, response]) => {
    const { description, headers } = response as Response;
    return [status, Number(status) >= 400 ? response : { description, ...(headers && { headers }) }];
  });
  return Object.fromEntries(bare) as Operation['responses'];
}

function operation(parts: OperationParts, common: readonly string[], headers: readonly HeaderName[]): Operation {
  const { id, tag, summary, description, isDeprecated, parameters, body, answers, problems = [] } = parts;
  const refusals = problemResponses([...common, ...problems], parts.isPlainText ?? false);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(isDeprecated && { deprecated: true }),
    ...(parameters && { parameters: parameters.map((name) => ({ $ref: `#/components/parameters/${name}` })) }),
    ...(body && { requestBody: body }),
    responses: withHeaders({ ...answers, ...refusals }, ['X-Request-Id', ...headers]),
  };
}

function problemResponses(codes: readonly string[], isPlainText: boolean): Record<string, Response> {
  const byStatus = Map.groupBy(codes, (code) => problem(code).error.statusCode);
  return Object.fromEntries(
    [...byStatus].map(([status, these]) => [status, problemResponse(status, these, isPlainText)]),
  );
}

function problemResponse(status: number, codes: readonly string[], isPlainText: boolean): Response {
  const names = codes.flatMap((code) => Object.keys(problem(code).error.headers)) as HeaderName[];
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return {
    description: `${STATUS_CODES[status] ?? ''}: ${codes.map((code) => `\`${code}\``).join(', ')}`,
    headers: headerReferences(names),
    content: isPlainText
      ? { 'text/plain': { schema: { type: 'string', description: 'The message.' } } }
      : { 'application/problem+json': { schema: schema('Problem'), examples } },
  };
}

function withHeaders(responses: Record<string, Response>, names: readonly HeaderName[]): Record<string, Response> {
  const added = Object.entries(responses).map(([status, response]) => [
    status,
    { ...response, headers: { ...headerReferences(names), ...response.headers } },
  ]);
  return Object.fromEntries(added) as Record<string, Response>;
}

function headerReferences(names: readonly HeaderName[]): Record<string, Reference> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
