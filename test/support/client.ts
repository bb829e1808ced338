import assert from 'node:assert/strict';

/** A task as clients see it. */
export interface TaskJson {
  _id: string;
  Text: string;
  task: string;
  completed: boolean;
  date: string;
  due: string | null;
  completedAt: string | null;
  notes: string | null;
  importance: string;
  categories: string[];
  checklist: { text: string; completed: boolean }[];
  remindAt: string | null;
  position: string | null;
  createdAt: string;
  updatedAt: string;
}

/** The members that a plain task does not have, as they are shown. */
export const ABSENT = {
  notes: null,
  importance: 'normal',
  categories: [],
  checklist: [],
  remindAt: null,
  position: null,
};

export interface RequestOptions {
  headers?: Record<string, string>;
  /** An object is sent as JSON; a string as it is, with whatever Content-Type the headers give. */
  body?: string | Uint8Array<ArrayBuffer> | object;
}

// A shorter text may be in a log by chance.
const MIN_SECRET_CHARS = 8;

/** Calls the API as one user. Whatever must not be in a log is reported to `keepSecret`. */
export class Client {
  readonly token: string | undefined;
  readonly #url: string;
  readonly #keepSecret: (secret: string) => void;

  constructor(url: string, token: string | undefined, keepSecret: (secret: string) => void) {
    this.#url = url;
    this.token = token;
    this.#keepSecret = keepSecret;
    if (token !== undefined) keepSecret(token);
  }

  async request(method: string, path: string, { headers = {}, body }: RequestOptions = {}): Promise<Response> {
    const isJson = typeof body === 'object' && !(body instanceof Uint8Array);
    if (isJson) this.#remember(body);
    return await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        'Accept-Encoding': 'identity',
        ...(this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` }),
        ...(isJson ? { 'Content-Type': 'application/json' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
    });
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.request('GET', path, { headers });
  }

  post(path: string, body?: RequestOptions['body'], headers: Record<string, string> = {}): Promise<Response> {
    return this.request('POST', path, { headers, ...(body === undefined ? {} : { body }) });
  }

  put(path: string, body?: RequestOptions['body'], headers: Record<string, string> = {}): Promise<Response> {
    return this.request('PUT', path, { headers, ...(body === undefined ? {} : { body }) });
  }

  patch(path: string, body?: RequestOptions['body'], headers: Record<string, string> = {}): Promise<Response> {
    return this.request('PATCH', path, { headers, ...(body === undefined ? {} : { body }) });
  }

  delete(path: string, body?: RequestOptions['body'], headers: Record<string, string> = {}): Promise<Response> {
    return this.request('DELETE', path, { headers, ...(body === undefined ? {} : { body }) });
  }

  /** Creates a task and returns it. */
  async create(task: object): Promise<TaskJson> {
    const response = await this.post('/api/tasks', task);
    assert.equal(response.status, 201, await response.clone().text());
    return (await response.json()) as TaskJson;
  }

  /** A page of the caller's tasks. */
  async list(query = '?limit=100'): Promise<TaskJson[]> {
    const response = await this.get(`/api/tasks${query}`);
    assert.equal(response.status, 200, await response.clone().text());
    return (await response.json()) as TaskJson[];
  }

  #remember(body: object): void {
    for (const value of Object.values(body)) {
      if (typeof value === 'string' && value.length >= MIN_SECRET_CHARS && !/^\d{4}-/.test(value)) {
        this.#keepSecret(value);
      }
    }
  }
}

/** Asserts a whole problem response (RFC 9457) and returns it. */
export async function expectProblem(
  response: Response,
  status: number,
  code: string,
  detail?: string | RegExp,
): Promise<Record<string, unknown>> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const problem = JSON.parse(text) as Record<string, unknown>;
  const { type, title, detail: actual, message, requestId, ...rest } = problem;
  assert.deepEqual(rest, { status, code });
  assert.equal(type, 'about:blank');
  assert.equal(typeof title, 'string');
  // The detail may say more than the message, which is the tutorial's own.
  assert.ok(String(actual).startsWith(String(message)));
  assert.equal(requestId, response.headers.get('x-request-id'));
  if (typeof detail === 'string') assert.equal(actual, detail);
  else if (detail !== undefined) assert.match(String(actual), detail);
  return problem;
}
