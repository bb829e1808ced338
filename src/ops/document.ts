/** The API document (OpenAPI 3.1), made from the declared operations. */
import packageJson from '../../package.json' with { type: 'json' };
import * as errors from '../errors.ts';
import { problemOf, titleOf } from '../http/answer.ts';
import type { Operation } from '../http/operation.ts';
import {
  type AnswerSchema,
  Component,
  type HeaderName,
  headers as allHeaders,
  type Parameter,
  type Schema,
  schema,
} from '../http/schema.ts';
import { type Authority, securitySchemes } from './authority.ts';

type ProblemClass = errors.ProblemClass;

/** By code, in the order of the file that defines them. */
export const problems: ReadonlyMap<string, ProblemClass> = new Map(
  Object.values(errors)
    .filter((one): one is Extract<typeof one, ProblemClass> => 'when' in one)
    .sort((a, b) => a.example.statusCode - b.example.statusCode)
    .map((one) => [one.example.code, one]),
);

/** What can go wrong with any request. */
const ANY: readonly ProblemClass[] = [
  errors.BadRequestError,
  // It belongs to the path rather than the operation, but there is no other place for it.
  errors.MethodNotAllowedError,
  errors.RequestTimeoutError,
  errors.ExpectationFailedError,
  errors.HeadersTooLargeError,
  errors.InternalError,
  errors.NotImplementedError,
  errors.VersionNotSupportedError,
];

const problemSchema = schema('Problem', {
  type: 'object',
  description: 'RFC 9457, with `code` and `message` as restify has them. `code` is for programs and never changes.',
  required: ['type', 'title', 'status', 'detail', 'code', 'message', 'requestId'],
  properties: {
    type: { type: 'string', description: 'Always `about:blank`.' },
    title: { type: 'string', description: 'The HTTP reason phrase of the status.' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'For a person: what is wrong, and what to do.' },
    code: { type: 'string', enum: [...problems.keys()] },
    message: { type: 'string', description: 'Like `detail`, which may say more.' },
    requestId: { type: 'string', description: 'Identifies this request in the logs; also in `X-Request-Id`.' },
  },
});

/** In the order in which they are shown. */
export const TAGS = [
  { name: 'Tasks', description: 'Create, read, change and delete tasks.' },
  { name: 'Account', description: 'What is stored about you.' },
  { name: 'Sync', description: 'For clients that keep a copy and are not always online.' },
  { name: 'Tasks by text', description: 'A task addressed by what it says, as in the tutorial.' },
  { name: 'First clients', description: 'What the original iOS and Android apps call. Errors are plain text.' },
  { name: 'Hello', description: 'Who am I?' },
  { name: 'Service', description: 'For operators and newcomers. Open to all.' },
];

/**
 * What `GET /openapi.json` answers.
 *
 * @param authority where clients get their tokens
 */
export function documentOf(operations: readonly Operation[], authority?: Authority) {
  const schemes = securitySchemes(authority);
  const components = new Components();
  for (const [code, { when, example }] of problems) {
    components.add(new Component('examples', code, { summary: when, value: problemOf(example, EXAMPLE_REQUEST) }));
  }
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const item = (paths[documentedPath(operation)] ??= {});
    item[operation.method.toLowerCase()] = components.resolve(describe(operation));
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Tasks API',
      version: packageJson.version,
      description:
        'People’s to-do tasks. Each user sees only their own: each request carries an access token of Azure AD B2C or ' +
        'Microsoft Entra External ID that says who is calling. Doubled and trailing slashes in a path are ignored. Every ' +
        '`GET` has a `HEAD`, and every path has `OPTIONS`.',
      contact: { name: 'Whoever runs this server' },
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // Relative to the document, so it also works behind a path prefix. `./` would double the slash before each path.
    servers: [{ url: '.', description: 'The server that served this document' }],
    security: Object.keys(schemes).map((name) => ({ [name]: [] })),
    tags: TAGS,
    paths,
    components: { ...components.all, securitySchemes: schemes },
  };
}

export type ApiDocument = ReturnType<typeof documentOf>;

export const EXAMPLE_REQUEST = '2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d';

/** `/api/tasks/:id(…)` becomes `/api/tasks/{id}`. OpenAPI tells paths apart only by their shape, so an owner becomes `me`. */
export function documentedPath({ path }: Operation): string {
  return path
    .replace(/\([^/]*\)/g, '')
    .replace(':owner', 'me')
    .replace(/:(\w+)/g, '{$1}');
}

/** Only the parameters of its own path: operations that share a declaration list those of all their paths. */
export function parametersOf(operation: Operation): Component<Parameter>[] {
  const path = documentedPath(operation);
  return (operation.parameters ?? []).filter(({ value }) => value.in !== 'path' || path.includes(`{${value.name}}`));
}

/** What can go wrong with it. */
export function problemsOf({ guard, body, problems = [] }: Operation): Map<number, ProblemClass[]> {
  const all = new Set([...ANY, ...guard.problems, ...(body?.problems ?? []), ...problems]);
  return Map.groupBy(
    [...all].sort((a, b) => a.example.statusCode - b.example.statusCode),
    ({ example }) => example.statusCode,
  );
}

function describe(operation: Operation): object {
  const { name, tag, summary, description, isDeprecated, guard, body } = operation;
  const parameters = parametersOf(operation);
  return {
    operationId: name,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(isDeprecated && { deprecated: true }),
    ...(guard.needsToken ? {} : { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body &&
      Object.keys(body.content).length > 0 && {
        requestBody: { description: body.description, required: body.isRequired, content: body.content },
      }),
    responses: responsesOf(operation),
  };
}

function responsesOf(operation: Operation): object {
  const { answers, guard, isPlainText = false } = operation;
  const common: HeaderName[] = ['X-Request-Id', ...guard.headers];
  const successes = Object.entries(answers).map(([status, answer]) => [status, responseOf(answer, common)]);
  const refusals = [...problemsOf(operation)].map(([status, these]) => [
    status,
    problemResponse(status, these, isPlainText, common),
  ]);
  return Object.fromEntries([...successes, ...refusals]) as object;
}

function responseOf({ description, content, headers = [] }: AnswerSchema, common: readonly HeaderName[]): object {
  return { description, headers: headerComponents([...common, ...headers]), ...(content && { content }) };
}

function problemResponse(
  status: number,
  classes: readonly ProblemClass[],
  isPlainText: boolean,
  common: readonly HeaderName[],
): object {
  const codes = classes.map(({ example }) => example.code);
  const own = classes.flatMap(({ example }) => Object.keys(example.headers)) as HeaderName[];
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return {
    description: `${titleOf(status)}: ${codes.map((code) => `\`${code}\``).join(', ')}`,
    headers: headerComponents([...common, ...own]),
    content: isPlainText
      ? { 'text/plain': { schema: { type: 'string', description: 'The message.' } } }
      : { 'application/problem+json': { schema: problemSchema, examples } },
  };
}

function headerComponents(names: readonly HeaderName[]): Record<string, Component<unknown>> {
  return Object.fromEntries(names.map((name) => [name, new Component('headers', name, allHeaders[name])]));
}

/** Collects the components that are referred to, by name. */
class Components {
  readonly all: Record<Component<unknown>['kind'], Record<string, Schema>> = {
    schemas: {},
    parameters: {},
    headers: {},
    examples: {},
  };

  add({ kind, name, value }: Component<unknown>): { $ref: string } {
    this.all[kind][name] ??= this.resolve(value) as Schema;
    return { $ref: `#/components/${kind}/${name}` };
  }

  /** The value with references in place of its components. */
  resolve(value: unknown): unknown {
    if (value instanceof Component) return this.add(value);
    if (Array.isArray(value)) return value.map((one) => this.resolve(one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.resolve(one)]));
  }
}
