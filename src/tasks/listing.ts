import mongoose, { type Types } from 'mongoose';
import { InvalidQueryError } from '../errors.ts';
import { decodeCursor, encodeCursor, type Cursor } from './cursor.ts';
import { parseDate } from './date.ts';
import type { TaskState } from './document.ts';
import { MAX_TEXT_LENGTH } from './input.ts';
import type { TaskDocument } from './model.ts';
import { equals, type Where } from './owned.ts';

/** The query parameters that a list knows. */
export const LIST_PARAMETERS = ['limit', 'sort', 'completed', 'dueAfter', 'dueBefore', 'q', 'cursor'] as const;
export const DEFAULT_LIMIT = 20;
export const MAX_LIMIT = 100;

export type ListQuery = Partial<Record<(typeof LIST_PARAMETERS)[number], string>>;
type SortField = 'date' | 'createdAt' | 'updatedAt';

export interface Sort {
  /** As the client wrote it. */
  name: string;
  field: SortField;
  isDescending: boolean;
}

/** What to list, in which order, from where. Ties are broken by the id, in the same direction. */
export interface Listing {
  limit: number;
  sort: Sort;
  completed: boolean | undefined;
  /** Inclusive. */
  dueAfter: Date | undefined;
  /** Exclusive. */
  dueBefore: Date | undefined;
  /** Part of the text, in any case. */
  q: string | undefined;
  cursor: Cursor | undefined;
}

/** @throws {InvalidQueryError} naming the parameter that is bad. */
export function readListing(query: ListQuery, defaultLimit = DEFAULT_LIMIT): Listing {
  const sort = readSort(query.sort);
  return {
    limit: readLimit(query.limit, defaultLimit),
    sort,
    completed: readCompleted(query.completed),
    dueAfter: readDay('dueAfter', query.dueAfter),
    dueBefore: readDay('dueBefore', query.dueBefore),
    q: readPart(query.q),
    cursor: readCursor(query.cursor, sort),
  };
}

/** A number from 1 to 100. Also for the changes. */
export function readLimit(limit: string | undefined, absent: number): number {
  if (limit === undefined) return absent;
  const number = /^\d{1,3}$/.test(limit) ? Number(limit) : 0;
  if (number < 1 || number > MAX_LIMIT) throw new InvalidQueryError(`limit must be a number from 1 to ${MAX_LIMIT}`);
  return number;
}

/** The place behind this task in this order. */
export function cursorBehind(task: TaskState, { name, field }: Sort): string {
  return encodeCursor({ sort: name, key: task[field]?.getTime() ?? null, id: task._id });
}

export function conditionsOf({ completed, dueAfter, dueBefore, q, cursor, sort }: Listing): Where<TaskDocument> {
  const all: Where<TaskDocument>[] = [];
  // The tutorial's tasks may have no such member, and are not completed then.
  if (completed !== undefined) all.push({ completed: completed ? { $eq: true } : { $ne: true } });
  if (dueAfter !== undefined) all.push(due('$gte', dueAfter));
  if (dueBefore !== undefined) all.push(due('$lt', dueBefore));
  if (q !== undefined) all.push(contains(q));
  if (cursor !== undefined) all.push(behind(cursor, sort));
  return all.length === 0 ? {} : { $and: all };
}

/** The tutorial's tasks may have no date. They are due when they were made, which their id tells in seconds. */
function due(operator: '$gte' | '$lt', date: Date): Where<TaskDocument> {
  const seconds = Math.min(Math.max(Math.ceil(date.getTime() / 1000), 0), 0xffff_ffff);
  const id = mongoose.Types.ObjectId.createFromTime(seconds);
  return { $or: [{ date: { [operator]: date } }, { date: null, _id: { [operator]: id } }] };
}

/** What follows the cursor. In MongoDB's order a missing date comes before all others. */
function behind({ key, id }: Cursor, { field, isDescending }: Sort): Where<TaskDocument> {
  const tie: Record<string, Types.ObjectId> = isDescending ? { $lt: id } : { $gt: id };
  if (key === null) {
    const sameKey = { [field]: null, _id: tie };
    return isDescending ? sameKey : { $or: [sameKey, { [field]: { $ne: null } }] };
  }
  const date = new Date(key);
  const beyond = { [field]: isDescending ? { $lt: date } : { $gt: date } };
  const sameKey = { [field]: equals(date), _id: tie };
  return { $or: [beyond, sameKey, ...(isDescending ? [{ [field]: null }] : [])] };
}

function contains(part: string): Where<TaskDocument> {
  // Every character with a meaning in a pattern stands for itself; a pattern cannot hold a NUL as it is.
  const $regex = part.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`).replaceAll('\0', String.raw`\x00`);
  const pattern = { $regex, $options: 'i' };
  return { $or: [{ Text: pattern }, { Text: null, task: pattern }] };
}

function readSort(name = 'date'): Sort {
  const [, sign, field] = /^(-?)(date|createdAt|updatedAt)$/.exec(name) ?? [];
  if (field === undefined)
    throw new InvalidQueryError('sort must be date, createdAt or updatedAt, or one of them after "-"');
  return { name, field: field as SortField, isDescending: sign === '-' };
}

function readCompleted(completed: string | undefined): boolean | undefined {
  if (completed === undefined) return undefined;
  if (completed !== 'true' && completed !== 'false') throw new InvalidQueryError('completed must be true or false');
  return completed === 'true';
}

function readDay(name: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const date = parseDate(text);
  if (date !== undefined) return date;
  throw new InvalidQueryError(`${name} must be YYYY-MM-DD or an RFC 3339 date-time, with "+" written as %2B`);
}

function readPart(q: string | undefined): string | undefined {
  if (q !== undefined && q.length > MAX_TEXT_LENGTH) {
    throw new InvalidQueryError(`q is longer than any task: ${MAX_TEXT_LENGTH} characters at most`);
  }
  return q === '' ? undefined : q;
}

function readCursor(text: string | undefined, { name }: Sort): Cursor | undefined {
  if (text === undefined) return undefined;
  const cursor = decodeCursor(text);
  if (cursor === undefined) throw new InvalidQueryError('cursor is malformed: follow the Link header as it is');
  if (cursor.sort !== name) throw new InvalidQueryError(`cursor belongs to sort=${cursor.sort}`);
  return cursor;
}
