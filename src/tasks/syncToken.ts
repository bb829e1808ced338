import mongoose, { type Types } from 'mongoose';
import { InvalidQueryError, SyncTokenExpiredError } from '../errors.ts';
import { isTaskId } from './document.ts';
import { SYNC_DAYS } from './model.ts';
import { decodeOpaque, encodeOpaque } from './cursor.ts';

/** What a client knows already: opaque to it, and all that the server needs to go on from there. */
export interface SyncToken {
  /** Milliseconds: the time up to which the client certainly knew everything, so the age of what it may still lack. */
  knownAt: number;
  /** The row of numbers that the position is in. */
  epoch: string;
  /** Everything up to this number, and of this number up to the id when there is one, was delivered. */
  number: number;
  id: Types.ObjectId | undefined;
  /** Deletions up to this number are of no interest: they were there when the first sync began. */
  quietUntil: number;
}

const FORMAT = 1;
const LIFETIME_MS = SYNC_DAYS * 24 * 3_600_000;

export function encodeSyncToken({ knownAt, epoch, number, id, quietUntil }: SyncToken): string {
  return encodeOpaque([FORMAT, knownAt, epoch, number, id?.toHexString() ?? '', quietUntil]);
}

/**
 * @param now milliseconds.
 * @throws {InvalidQueryError} when it is not, byte for byte, what `encodeSyncToken` makes.
 * @throws {SyncTokenExpiredError} when it is older than 30 days.
 */
export function readSyncToken(text: string, now: number): SyncToken {
  const token = decode(text);
  if (token === undefined || encodeSyncToken(token) !== text) {
    throw new InvalidQueryError('since is malformed: send "next" of the last answer as it is, or leave it out');
  }
  if (now - token.knownAt > LIFETIME_MS) throw new SyncTokenExpiredError();
  return token;
}

function decode(text: string): SyncToken | undefined {
  const [format, knownAt, epoch, number, id, quietUntil] = decodeOpaque(text);
  if (format !== FORMAT || typeof epoch !== 'string' || typeof id !== 'string') return undefined;
  if (id !== '' && !isTaskId(id)) return undefined;
  if (!isInteger(knownAt) || !isInteger(number) || !isInteger(quietUntil)) return undefined;
  return { knownAt, epoch, number, id: id === '' ? undefined : new mongoose.Types.ObjectId(id), quietUntil };
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
