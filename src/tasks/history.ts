/**
 * Which history a number belongs to. Numbers are given again after a database went back in time, so they are given under
 * the name of an epoch, and a new epoch begins whenever the numbers before it cannot be vouched for. A sync token is a
 * place in a history.
 */
import { randomBytes } from 'node:crypto';
import mongoose, { type Connection, type Types } from 'mongoose';
import { InvalidQueryError, SyncTokenExpiredError } from '../errors.ts';
import { isTaskId } from './document.ts';
import { SYNC_DAYS, taskModels } from './model.ts';
import { decodeOpaque, encodeOpaque } from './page.ts';

export interface History {
  /** Random; names the row of numbers that the last one is in. */
  epoch: string;
  /** The last number given. */
  number: number;
  /** The rows before it, oldest first, and the last number of each. */
  past?: { epoch: string; until: number }[];
}

/** A number that was handed out, with the epoch in which it was given. */
export interface Mark {
  epoch: string;
  number: number;
}

/** Epochs that are remembered. One begins whenever an instance first meets an owner, so this is weeks of deployments. */
const MAX_PAST = 100;

/** Records that one command writes. */
const BATCH = 500;

export function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}

/** Whether this history is the one that the number was given in, and has come as far. */
export function vouchesFor({ epoch, number, past = [] }: History, mark: Mark): boolean {
  if (mark.epoch === epoch) return mark.number <= number;
  return past.some((row) => row.epoch === mark.epoch && mark.number <= row.until);
}

/** The epoch in which this history gave the number. */
export function epochOf({ epoch, past = [] }: History, number: number): string {
  return past.find(({ until }) => number <= until)?.epoch ?? epoch;
}

/** The same numbers so far; the next one is in a new epoch. */
export function inNewEpoch<H extends History>(history: H): H {
  const { epoch, number, past = [] } = history;
  return { ...history, epoch: newEpoch(), past: [...past, { epoch, until: number }].slice(-MAX_PAST) };
}

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
    throw new InvalidQueryError('since is malformed: send "next" of the last answer unchanged, or leave it out');
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

/**
 * Begins a new history of changes for everyone, so that every sync token from before is refused. Live: what is being
 * numbered meanwhile is numbered in the old history or in the new one. Where tasks have higher numbers than their record,
 * whoever reads first goes on from these. May be run again. Resolves to how many users.
 */
export async function beginNewHistories(connection: Connection): Promise<number> {
  const { syncs } = taskModels(connection);
  let count = 0;
  for (let behind: object = {}; ;) {
    const records = await syncs.find(behind, { owner: 1 }).sort({ _id: 1 }).limit(BATCH).lean();
    if (records.length === 0) return count;
    const renewals = records.map(({ _id, owner }) => ({
      updateOne: { filter: { owner: { $eq: owner }, _id }, update: { $set: { epoch: newEpoch(), past: [] } } },
    }));
    await syncs.bulkWrite(renewals, { ordered: false });
    count += records.length;
    behind = { _id: { $gt: records.at(-1)?._id } };
  }
}
