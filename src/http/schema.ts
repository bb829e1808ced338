/** The part of OpenAPI 3.1 that describes operations. A test checks the whole document, not these types. */

/** JSON Schema 2020-12; it may contain components wherever a schema is allowed. */
export type Schema = Readonly<Record<string, unknown>>;

type Kind = 'schemas' | 'parameters' | 'headers' | 'examples';

/** Something with its own name in the document, which refers to it by that name. */
export class Component<T> {
  readonly kind: Kind;
  readonly name: string;
  readonly value: T;

  constructor(kind: Kind, name: string, value: T) {
    this.kind = kind;
    this.name = name;
    this.value = value;
  }
}

export interface Example {
  summary: string;
  value: unknown;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  description: string;
  required?: boolean;
  schema: Schema;
  example?: unknown;
}

/** One kind of success. */
export interface AnswerSchema {
  description: string;
  /** None: no body. */
  content?: Readonly<Record<string, { schema: Schema | Component<Schema>; examples?: Record<string, Example> }>>;
  headers?: readonly HeaderName[];
}

export function schema(name: string, value: Schema): Component<Schema> {
  return new Component('schemas', name, value);
}

/** An object that has all of these members, unless more is said. */
export function objectSchema(name: string, properties: Schema, more: Schema = {}): Component<Schema> {
  return schema(name, { type: 'object', required: Object.keys(properties), ...more, properties });
}

/** @param name of the component; several components may share a parameter's own name. */
export function parameter(name: string, value: Parameter): Component<Parameter> {
  return new Component('parameters', name, value);
}

/** A part of the path. */
export function inPath(component: string, name: string, description: string, more: Partial<Parameter> = {}) {
  return parameter(component, { name, in: 'path', required: true, description, schema: text, ...more });
}

/** A request header with entity tags. */
export function tagHeader(name: string, component: string, description: string): Component<Parameter> {
  return parameter(component, { name, in: 'header', description, schema: { type: 'string' } });
}

export const ifNoneMatch = tagHeader(
  'If-None-Match',
  'IfNoneMatch',
  'Send nothing (304) if this `ETag` is still the current one.',
);

export function example(summary: string, value: unknown): Example {
  return { summary, value };
}

export function answer(
  description: string,
  of?: Schema | Component<Schema>,
  examples?: Record<string, Example>,
  headers: readonly HeaderName[] = [],
): AnswerSchema {
  if (of === undefined) return { description, headers };
  return { description, headers, content: { 'application/json': { schema: of, ...(examples && { examples }) } } };
}

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };

/** Every response header that is of use to a client. */
export const headers = {
  ETag: { description: 'Identifies this state, for `If-Match` and `If-None-Match`.', schema: text },
  Link: {
    description:
      'The next page, `<…>; rel="next"` (RFC 8288), relative to this one; absent on the last. A page that would exceed 1 MB ends before its limit.',
    schema: text,
  },
  Location: {
    description: 'Where the new task is, relative to this URL.',
    schema: { ...text, format: 'uri-reference' },
  },
  'Retry-After': { description: 'Seconds to wait before trying again.', schema: { type: 'integer', minimum: 1 } },
  'WWW-Authenticate': { description: 'What is wrong with the token (RFC 6750, section 3).', schema: text },
  'RateLimit-Limit': { description: 'Requests that your full bucket holds.', schema: count },
  'RateLimit-Remaining': { description: 'Requests left in it.', schema: count },
  'RateLimit-Reset': { description: 'Seconds until it is full again.', schema: count },
  'X-Request-Id': {
    description: 'Identifies this request in the logs: your own, if it is 1 to 64 of `[A-Za-z0-9._-]`.',
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
  },
  'X-Tasks-Changed': { description: 'How many more tasks were changed than this answer holds.', schema: count },
  'Content-Disposition': { description: 'To be kept as a file.', schema: text },
  Allow: { description: 'The methods of this path.', schema: text },
  'Content-Security-Policy': { description: 'What the page may load and where it may connect.', schema: text },
} as const;

export type HeaderName = keyof typeof headers;
