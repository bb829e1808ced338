/** Time and size limits of the connections. */
import type { Server as HttpServer } from 'node:http';

export interface Limits {
  /** Milliseconds in which headers and body of a request must be complete. */
  requestMs: number;
  /** Milliseconds that a connection may be silent. A balancer in front should close its idle connections before. */
  idleMs: number;
  /** Milliseconds between two looks for requests and answers that are late. */
  checkMs: number;
  /** Milliseconds that a client may take to read an answer, or a piece of one that is sent while it is made, however busily it reads. */
  answerMs: number;
  /** Bytes that answers may have together that their clients have not read; those that began first are cut. */
  unreadBytes: number;
  /** Connections open at once. */
  connections: number;
  /** Milliseconds that requests wait at most while connections are let in. */
  acceptMs: number;
  /** Requests that wait behind others of their connections, in all: a few kilobytes each. */
  waitingRequests: number;
  /** Requests of one user that are under way at once: an app needs a handful, and an answer may have a megabyte. */
  inFlightPerUser: number;
  /** Milliseconds after which no further operation of a batch is begun. */
  batchMs: number;
  /** Milliseconds that what comes behind the last answer of a connection is still read. */
  lingerMs: number;
}

/**
 * With the look every second, nothing outlives 60 seconds. A request that stops in the middle is silent too, and must be
 * found late before its connection is found idle: only then is there an answer.
 */
export const DEFAULT_LIMITS: Limits = {
  requestMs: 54_000,
  idleMs: 58_000,
  checkMs: 1_000,
  answerMs: 58_000,
  unreadBytes: 64 * 1024 * 1024,
  connections: 2_000,
  acceptMs: 50,
  waitingRequests: 10_000,
  inFlightPerUser: 100,
  batchMs: 5_000,
  lingerMs: 5_000,
};

/** Bytes that request line and headers may take together: a path segment may be as long as a task's text. */
const MAX_HEADER_BYTES = 64 * 1024;

/** Sets the limits. Call it before `listen`: Node reads most of them then. */
export function limit(httpServer: HttpServer, limits: Limits): void {
  Object.assign(httpServer, {
    headersTimeout: limits.requestMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    // Not documented as properties, but this is where node:http keeps these options, and restify passes none to it.
    connectionsCheckingInterval: limits.checkMs,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  // Also ends connections whose client has stopped reading.
  httpServer.setTimeout(limits.idleMs);
}
