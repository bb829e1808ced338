/** Time and size limits of the connections. */
import type { Server as HttpServer } from 'node:http';

export interface Limits {
  /** Milliseconds within which headers and body of a request must be complete. */
  requestMs: number;
  /** Milliseconds that a connection may be idle. A load balancer in front should close its idle connections earlier. */
  idleMs: number;
  /** Milliseconds between two looks for late requests and answers. */
  checkMs: number;
  /** Milliseconds that a client may take to read an answer, or a piece of one that is produced while it is sent. */
  answerMs: number;
  /** Total bytes of answers that clients have not read; beyond it, those that began first are cut off. */
  unreadBytes: number;
  /** Connections open at once. */
  connections: number;
  /** Milliseconds that requests wait at most while connections are accepted. */
  acceptMs: number;
  /** Requests that wait for others on their connections, in all: a few kilobytes each. */
  waitingRequests: number;
  /** Requests of one user in progress at once: an app needs a handful, and an answer may have a megabyte. */
  inFlightPerUser: number;
  /** Milliseconds after which a batch starts no further operation. */
  batchMs: number;
  /** Milliseconds for which a connection is still read after its last answer. */
  lingerMs: number;
}

/**
 * With a look every second, nothing lasts longer than 60 seconds. A request that stops in the middle must be found late
 * before its connection is found idle: only then is there an answer.
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

/** Sets the limits. Call it before `listen`, when Node reads most of them. */
export function limit(httpServer: HttpServer, limits: Limits): void {
  Object.assign(httpServer, {
    headersTimeout: limits.requestMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    // Undocumented, but node:http keeps these options here, and restify does not pass any to it.
    connectionsCheckingInterval: limits.checkMs,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  // Also ends connections whose client has stopped reading.
  httpServer.setTimeout(limits.idleMs);
}
