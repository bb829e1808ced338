/** POST /api/batch: operations on tasks, done in order as if each had been sent alone. */
import { InvalidBatchError, NotDoneError, TooManyRequestsError } from '../errors.ts';
import { type Answer, headersOf, problemAnswer } from '../http/answer.ts';
import type { Call, Guard, InnerRequest, Operation, ReadBody } from '../http/operation.ts';
import { isObject, type Members } from '../http/request.ts';
import { answer, example, objectSchema } from '../http/schema.ts';
import { TASK } from './schemas.ts';

const MAX_BYTES = 256 * 1024;
const MAX_OPERATIONS = 50;
/** Operations that are charged as one request. */
const OPERATIONS_PER_CHARGE = 10;
const MAX_ANSWER_BYTES = 1024 * 1024;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const HEADERS = ['If-Match', 'If-None-Match', 'Idempotency-Key'];
const TASKS = /^\/+api\/+tasks(?:[/?]|$)/;

/** @param maxMs after which no operation is started; the last one may then take the store's full time */
export function batchOperation(guard: Guard, readBody: ReadBody, maxMs: number): Operation {
  return {
    name: 'Batch',
    method: 'POST',
    path: '/api/batch',
    guard,
    tag: 'Sync',
    summary: 'Many operations in one trip',
    description:
      'Up to 50 requests to `/api/tasks…`, done in order, even after one fails. `results` has, in the same order, the ' +
      'answer that each would have got alone. One that could not be started is 503 `NotDone`: send it again.',
    body: readBody(batchBody, { maxBytes: MAX_BYTES }),
    answers: { 200: answer('The result of each', results, { one: example('One task created', EXAMPLE) }) },
    // The latter within the results, in place of what was not started.
    problems: [InvalidBatchError, NotDoneError],
    handle: async (call) => await runBatch(call, readBatch(call.body), maxMs),
  };
}

async function runBatch(call: Call, requests: readonly InnerRequest[], maxMs: number): Promise<Answer> {
  const done: string[] = [];
  const start = performance.now();
  let bytes = 0;
  let end: NotDoneError | undefined;
  for (const [i, request] of requests.entries()) {
    if (performance.now() - start >= maxMs || bytes > MAX_ANSWER_BYTES) end ??= new NotDoneError();
    if (i > 0 && i % OPERATIONS_PER_CHARGE === 0) end ??= await chargeAgain(call);
    const answered = end === undefined ? await call.inner(request) : problemAnswer(end, call.requestId);
    // A store that is down for one is down for the next.
    if (answered.status === 503) end ??= new NotDoneError();
    const result = written(answered, request.method === 'HEAD');
    done.push(result);
    bytes += Buffer.byteLength(result);
  }
  return { status: 200, body: `{"results":[${done.join(',')}]}` };
}

/** Undefined while the caller has requests left. */
async function chargeAgain(call: Call): Promise<NotDoneError | undefined> {
  try {
    await call.charge();
    return undefined;
  } catch (error) {
    if (error instanceof TooManyRequestsError) return new NotDoneError(error.headers['Retry-After']);
    throw error;
  }
}

function written(answered: Answer, isHead: boolean): string {
  const { status, body } = answered;
  const shown = body === undefined || isHead ? 'null' : body;
  return `{"status":${status},"headers":${JSON.stringify(headersOf(answered))},"body":${shown}}`;
}

/** @throws {InvalidBatchError} naming the operation. */
function readBatch(body: Members | undefined): InnerRequest[] {
  const operations = body?.['operations'];
  if (!Array.isArray(operations) || operations.length === 0 || operations.length > MAX_OPERATIONS) {
    throw new InvalidBatchError(`operations must be an array of 1 to ${MAX_OPERATIONS} operations`);
  }
  return operations.map((operation, i) => readWanted(operation, `operations[${i}]`));
}

function readWanted(operation: unknown, name: string): InnerRequest {
  if (!isObject(operation)) throw new InvalidBatchError(`${name} must be an object`);
  const { method, path, headers = {}, body } = operation;
  if (typeof method !== 'string' || !METHODS.includes(method)) {
    throw new InvalidBatchError(`${name}.method must be one of ${METHODS.join(', ')}`);
  }
  if (typeof path !== 'string' || !TASKS.test(path) || !/^[!-~]+$/.test(path) || path.includes('#')) {
    throw new InvalidBatchError(`${name}.path must be /api/tasks or a path below it, percent-encoded`);
  }
  return { method, target: path, headers: readHeaders(headers, `${name}.headers`), body };
}

function readHeaders(headers: unknown, name: string): Record<string, string> {
  if (!isObject(headers)) throw new InvalidBatchError(`${name} must be an object`);
  const known: Record<string, string> = {};
  for (const [header, value] of Object.entries(headers)) {
    const lower = header.toLowerCase();
    if (!HEADERS.some((known) => known.toLowerCase() === lower)) {
      throw new InvalidBatchError(`${name} may only contain ${HEADERS.join(', ')}`);
    }
    if (lower in known) throw new InvalidBatchError(`${name} contains ${lower} twice`);
    // RFC 9110, section 5.5: what a header can carry.
    if (typeof value !== 'string' || !/^[\t\x20-\x7E\x80-\xFF]*$/.test(value)) {
      throw new InvalidBatchError(`${name} must have values that a header can carry`);
    }
    known[lower] = value.trim();
  }
  return known;
}

const texts = { type: 'object', additionalProperties: { type: 'string' } };

const operation = objectSchema(
  'BatchOperation',
  {
    method: { type: 'string', enum: METHODS },
    path: { type: 'string', description: 'Path and query, percent-encoded: `/api/tasks…`.' },
    headers: { ...texts, description: `Only ${HEADERS.join(', ')}.` },
    body: { type: 'object', description: 'As if it were sent alone.', additionalProperties: true },
  },
  { required: ['method', 'path'] },
);

const batch = objectSchema('Batch', {
  operations: { type: 'array', minItems: 1, maxItems: MAX_OPERATIONS, items: operation },
});

const result = objectSchema('BatchResult', {
  status: { type: 'integer', minimum: 200, maximum: 599 },
  headers: texts,
  body: { description: 'The JSON that it would have got alone, or null if there is none.' },
});

const results = objectSchema('BatchResults', { results: { type: 'array', items: result } });

const TASK_PATH = `/api/tasks/${TASK._id}`;
const OUTBOX = [
  { method: 'PUT', path: TASK_PATH, headers: { 'If-None-Match': '*' }, body: { Text: 'Buy milk' } },
  { method: 'PATCH', path: '/api/tasks/6742d0c4e1a2b3c4d5e6f700', body: { completed: true } },
];
const CREATED = {
  'Content-Type': 'application/json',
  ETag: '"6742d0c4e1a2b3c4d5e6f709"',
  Location: `../..${TASK_PATH}`,
};
const EXAMPLE = { results: [{ status: 201, headers: CREATED, body: TASK }] };

const batchBody = {
  description: 'The operations, in order. At most 256 KiB.',
  isRequired: true,
  content: {
    'application/json': {
      schema: batch,
      examples: {
        outbox: example('Create a task with an id of your choice, and complete another', { operations: OUTBOX }),
      },
    },
  },
};
