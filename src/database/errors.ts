import mongoose from 'mongoose';

import { StoreUnavailableError } from '../errors.ts';
import { DeadlineError } from './deadline.ts';

const { MongoError, MongoServerError } = mongoose.mongo;

/** What the driver throws when it has no usable server; some of these classes are not exported. */
const UNREACHABLE = new Set([
  'MongoClientClosedError',
  'MongoExpiredSessionError', // the client was closed while the operation ran
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoNotConnectedError',
  'MongoOperationTimeoutError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoServerClosedError',
  'MongoServerSelectionError',
  'MongoStalePrimaryError',
  'MongoTopologyClosedError',
  'MongoUnexpectedServerResponseError',
  'MongoWaitQueueTimeoutError',
  'MongooseServerSelectionError',
]);

/** A write to a connection that is just being lost; the driver passes the system's error on as it is. */
const CONNECTION_LOST = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT', 'ENOTCONN']);

/** The server answers, but not now: it steps down, starts, stops, is overloaded, or out of disk. */
const UNAVAILABLE_CODES = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  24, // LockTimeout
  50, // MaxTimeMSExpired
  63, // StaleShardVersion
  64, // WriteConcernTimeout: the outcome is unknown
  79, // UnknownReplWriteConcern
  89, // NetworkTimeout
  91, // ShutdownInProgress
  100, // UnsatisfiableWriteConcern
  112, // WriteConflict
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  150, // StaleEpoch
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit
  262, // ExceededTimeLimit
  317, // ConnectionPoolExpired
  462, // IngressRequestRateLimitExceeded
  9001, // SocketException
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11601, // Interrupted
  11602, // InterruptedDueToReplStateChange
  13388, // StaleConfig
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
  14031, // OutOfDiskSpace
]);

/** The server refuses us: nothing gets better until an operator changes something. */
const REFUSAL_CODES = new Set([
  11, // UserNotFound
  13, // Unauthorized
  18, // AuthenticationFailed
  8000, // AtlasError: how Atlas says the same
]);

const TRANSIENT_LABELS = ['RetryableWriteError', 'TransientTransactionError', 'SystemOverloadedError'];

/** Mongoose has no class for these; the tests hold the texts to the installed version. */
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

/** Whether a document with the same id, or another unique member, is there already. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

function isStoreDown(error: Error): boolean {
  if (error instanceof DeadlineError || UNREACHABLE.has(error.name)) return true;
  if (error instanceof mongoose.MongooseError) return NOT_CONNECTED.test(error.message);
  if (!(error instanceof MongoError)) return isConnectionLost(error);
  // The write was done, but not by a majority: it may be lost, so it was not acknowledged.
  if (error.name === 'MongoWriteConcernError') return true;
  if (TRANSIENT_LABELS.some((label) => error.hasErrorLabel(label))) return true;
  const code = Number(error.code);
  return UNAVAILABLE_CODES.has(code) || REFUSAL_CODES.has(code);
}

function isConnectionLost(error: NodeJS.ErrnoException): boolean {
  // A client that goes away while it sends its body has no `syscall`.
  return error.syscall === 'write' && CONNECTION_LOST.has(error.code ?? '');
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
