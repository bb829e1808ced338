import mongoose from 'mongoose';
import { StoreUnavailableError } from '../errors.ts';
import { DeadlineError } from './deadline.ts';

const { MongoBulkWriteError, MongoError, MongoServerError } = mongoose.mongo;

/** What the driver throws when its caller is at fault. Any other error of its own means that it has no usable server. */
const LASTING_ERRORS = new Set([
  ...['MongoInvalidArgumentError', 'MongoParseError', 'MongoCompatibilityError', 'MongoMissingDependencyError'],
  ...['MongoBatchReExecutionError', 'MongoCursorInUseError', 'MongoTailableCursorError', 'MongoTransactionError'],
]);

/** A connection that is just being lost, where the driver passes on the system's error. */
const CONNECTION_LOST = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT', 'ENOTCONN']);

/**
 * Permanent refusals, which a repeated request would get again, since the command, the data or the deployment is at
 * fault (MongoDB's error_codes.yml). Any other refusal is temporary: the server steps down, starts, stops, is overloaded
 * or blocks writes, and every release and relative of MongoDB has more ways to say so.
 */
const LASTING_CODES = new Set([
  ...[1, 2, 4, 8, 9, 10, 12, 14, 15, 16, 17, 19, 20, 21, 22], // InternalError, BadValue … InvalidBSON
  ...[26, 27, 28, 29, 30, 34, 40, 47, 48], // NamespaceNotFound, IndexNotFound, paths, NamespaceExists
  ...[51, 52, 53, 54, 55, 56, 57, 59, 61, 66, 67, 68, 72, 73, 85, 86], // names, CommandNotFound, options, indexes
  ...[96, 97, 101, 111, 115, 116, 121, 123, 139, 142, 148, 159, 160], // CommandNotSupported, DocumentValidationFailure
  ...[165, 166, 167, 168, 170, 171, 182, 197, 201, 207, 223, 224, 232, 233, 235, 238, 241, 242], // NotImplemented …
  ...[263, 292, 322, 323, 324, 352], // transactions, memory for sorting, the versioned API
]);

/** Codes from here on are assertions in the server's source: all but the ones named below mean that a command is wrong. */
const FIRST_ASSERTION = 10_000;
const NAMED_TEMPORARY = new Set([
  10_058, // LegacyNotPrimary
  10_107, // NotWritablePrimary
  11_600, // InterruptedAtShutdown
  11_601, // Interrupted
  11_602, // InterruptedDueToReplStateChange
  13_388, // StaleConfig
  13_435, // NotPrimaryNoSecondaryOk
  13_436, // NotPrimaryOrSecondary
  14_031, // OutOfDiskSpace
  16_500, // too many requests, as Cosmos DB says it
]);

/** The server refuses us: this lasts until an operator changes something. */
const REFUSAL_CODES = new Set([
  11, // UserNotFound
  13, // Unauthorized
  18, // AuthenticationFailed
  8000, // AtlasError: how Atlas says the same
]);

/** The driver's and the server's own label for it. */
const TRANSIENT_LABELS = [
  'RetryableError',
  'RetryableWriteError',
  'SystemOverloadedError',
  'TransientTransactionError',
];

/** Mongoose has no class for these; tests check the texts against the installed version. */
const NOT_CONNECTED = /buffering timed out|before initial connection is complete|connection was force closed/i;

/**
 * What a client is told when the store is down, hangs or refuses us: 503 with Retry-After. `undefined` for every
 * other error, a duplicate key among them. The original error is the `cause`.
 */
export function toStoreError(error: unknown): StoreUnavailableError | undefined {
  return chain(error).some(isStoreDown) ? new StoreUnavailableError({ cause: error }) : undefined;
}

/** Whether an operator must act: bad credentials, or a database user that lacks a privilege. */
export function isRefusal(error: unknown): boolean {
  return chain(error).some((link) => link instanceof MongoServerError && REFUSAL_CODES.has(Number(link.code)));
}

const DUPLICATE_KEY = 11_000;

/** Whether a document with the same id, or another unique member, already exists. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/**
 * Which of many documents written in one command were refused, by index, and why.
 *
 * @throws the error itself if it is about the command, or if what was done may be lost again.
 */
export function refusedOnes(error: unknown): Map<number, Error> {
  if (!(error instanceof MongoBulkWriteError)) throw error as Error;
  const refused = [error.writeErrors].flat();
  if (refused.length === 0 || error.result.getWriteConcernError() !== undefined) throw error;
  return new Map(refused.map(({ index, code, errmsg = '' }) => [index, new MongoServerError({ code, errmsg })]));
}

function isStoreDown(error: Error): boolean {
  if (error instanceof DeadlineError || error instanceof mongoose.Error.MongooseServerSelectionError) return true;
  if (error instanceof mongoose.MongooseError) return NOT_CONNECTED.test(error.message);
  if (!(error instanceof MongoError)) return isConnectionLost(error);
  if (!(error instanceof MongoServerError)) return !LASTING_ERRORS.has(error.name);
  // The write was done, but not by a majority: it may be lost, so it was not acknowledged.
  if (error.name === 'MongoWriteConcernError') return true;
  if (TRANSIENT_LABELS.some((label) => error.hasErrorLabel(label))) return true;
  return isTemporary(Number(error.code));
}

function isTemporary(code: number): boolean {
  if (REFUSAL_CODES.has(code) || NAMED_TEMPORARY.has(code)) return true;
  return code < FIRST_ASSERTION && !LASTING_CODES.has(code);
}

function isConnectionLost(error: NodeJS.ErrnoException): boolean {
  if (!CONNECTION_LOST.has(error.code ?? '')) return false;
  // A client that goes away while it sends its body has no `syscall`, but is never written to from here: what has no
  // `syscall` and is a broken pipe is a pooled connection that the server has closed.
  return error.syscall === 'write' || error.syscall === 'read' || error.code === 'EPIPE';
}

const MAX_DEPTH = 5;

/** An error and what caused it. A bulk error keeps the driver's own in `errorResponse`. */
function chain(error: unknown): Error[] {
  const links: Error[] = [];
  let link = error;
  while (link instanceof Error && links.length < MAX_DEPTH) {
    links.push(link);
    const next: { errorResponse?: unknown; cause?: unknown } = link;
    link = next.errorResponse instanceof Error ? next.errorResponse : next.cause;
  }
  return links;
}
