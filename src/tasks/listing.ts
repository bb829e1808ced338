/** What a list is asked for, and what that means to the store. */
import mongoose from 'mongoose';
import { InvalidQueryError } from '../errors.ts';
import type { TaskState } from './document.ts';
import { parseDate } from './due.ts';
import { type Importance, members } from './members.ts';
import type { TaskDocument } from './model.ts';
import { equals, type Where } from './owned.ts';
import { type Cursor, decodeCursor, encodeCursor } from './page.ts';

/** The query parameters that a list knows. */
export const LIST_PARAMETERS = [
  ...['limit', 'sort', 'completed', 'importance', 'category', 'dueAfter', 'dueBefore', 'q', 'cursor'],
] as const;
export const DEFAULT_LIMIT = 20;
export const MAX_LIMIT = 100;
export const MAX_SEARCH_LENGTH = 100;
const MAX_CATEGORY_LENGTH = members.categories.schema.items.maxLength;

export type ListQuery = Readonly<Partial<Record<string, string>>>;

const FIELDS = ['date', 'createdAt', 'updatedAt', 'position'] as const;
/** Every order by name, such as `-date`. */
export const SORTS = FIELDS.flatMap((field) => [field, `-${field}`]);

export interface Sort {
  /** As the client wrote it. */
  name: string;
  field: (typeof FIELDS)[number];
  isDescending: boolean;
}

/** What to list, in which order, from where. Ties are broken by the id, in the same direction. */
export interface Listing {
  limit: number;
  sort: Sort;
  where: Where<TaskDocument>;
  /** Part of the text or the notes. */
  q: string | undefined;
  cursor: Cursor | undefined;
}

/** @throws {InvalidQueryError} naming the parameter that is bad. */
export function readListing(query: ListQuery, defaultLimit = DEFAULT_LIMIT): Listing {
  const sort = readSort(query['sort']);
  return {
    limit: readLimit(query['limit'], defaultLimit),
    sort,
    where: readFilters(query),
    q: readPart(query['q']),
    cursor: readCursor(query['cursor'], sort),
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
export function cursorBehind(task: TaskState, { name, field }: Sort): Cursor {
  const key = task[field] ?? null;
  return { sort: name, key: key instanceof Date ? key.getTime() : key, id: task._id };
}

/** The same list from another place. What the list does not know is left out, so that no reference grows without a bound. */
export function referenceToNext(query: ListQuery, cursor: Cursor): string {
  const parameters = new URLSearchParams({ ...query, cursor: encodeCursor(cursor) });
  return `?${parameters.toString()}`;
}

/** As the store sorts. */
export function orderOf({ field, isDescending }: Sort): Record<string, 1 | -1> {
  const direction = isDescending ? -1 : 1;
  return { [field]: direction, _id: direction };
}

/**
 * What follows the cursor, or everything, as one part of the order after the other: where tasks without a key do not come
 * where the store would put them (first of all), they are a part of their own. Each part says its bounds in front, since an
 * index would be read from its beginning for bounds that stand in an `$or` alone.
 */
export function partsBehind(cursor: Cursor | undefined, { field, isDescending }: Sort): Where<TaskDocument>[] {
  const withoutKey: Where<TaskDocument> = { [field]: null };
  const isKeyFirst = isDescending || field === 'position';
  if (cursor === undefined) {
    return field === 'position' && !isDescending ? [{ position: { $gt: '' } }, withoutKey] : [{}];
  }
  const [beyond, upTo] = isDescending ? (['$lt', '$lte'] as const) : (['$gt', '$gte'] as const);
  const tie = { _id: { [beyond]: cursor.id } };
  if (cursor.key === null) {
    const rest = { ...withoutKey, ...tie };
    return isKeyFirst ? [rest] : [rest, { [field]: { $ne: null } }];
  }
  const key = typeof cursor.key === 'number' ? new Date(cursor.key) : cursor.key;
  const following = {
    [field]: { [upTo]: key },
    $or: [{ [field]: { [beyond]: key } }, { [field]: equals(key), ...tie }],
  };
  return isKeyFirst ? [following, withoutKey] : [following];
}

function readFilters(query: ListQuery): Where<TaskDocument> {
  const { category } = query;
  const completed = readCompleted(query['completed']);
  const importance = readImportance(query['importance']);
  const dueAfter = readDay('dueAfter', query['dueAfter']);
  const dueBefore = readDay('dueBefore', query['dueBefore']);
  const all: Where<TaskDocument>[] = [];
  // The tutorial's tasks may have no such member, and are not completed then.
  if (completed !== undefined) all.push({ completed: completed ? { $eq: true } : { $ne: true } });
  // What is absent is not stored.
  if (importance !== undefined) {
    all.push({ importance: { $in: [importance, importance === 'normal' ? null : importance] } });
  }
  if (category === '' || (category?.length ?? 0) > MAX_CATEGORY_LENGTH) {
    throw new InvalidQueryError(`category must have 1 to ${MAX_CATEGORY_LENGTH} characters`);
  }
  if (category !== undefined) all.push({ categories: equals(category) });
  if (dueAfter !== undefined || dueBefore !== undefined) all.push({ due: { $ne: 'none' } });
  if (dueAfter !== undefined) all.push(due('$gte', dueAfter));
  if (dueBefore !== undefined) all.push(due('$lt', dueBefore));
  return all.length === 0 ? {} : { $and: all };
}
/** The tutorial's tasks may have no date. They are due when they were made, which their id tells in seconds. */
function due(operator: '$gte' | '$lt', date: Date): Where<TaskDocument> {
  const seconds = Math.min(Math.max(Math.ceil(date.getTime() / 1000), 0), 0xffff_ffff);
  const id = mongoose.Types.ObjectId.createFromTime(seconds);
  return { $or: [{ date: { [operator]: date } }, { date: null, _id: { [operator]: id } }] };
}

function readSort(name = 'date'): Sort {
  const isDescending = name.startsWith('-');
  const field = FIELDS.find((known) => known === (isDescending ? name.slice(1) : name));
  if (field !== undefined) return { name, field, isDescending };
  throw new InvalidQueryError(`sort must be ${FIELDS.join(', ')}, or one of these after a "-"`);
}

function readCompleted(completed: string | undefined): boolean | undefined {
  if (completed === undefined) return undefined;
  if (completed !== 'true' && completed !== 'false') throw new InvalidQueryError('completed must be true or false');
  return completed === 'true';
}

function readImportance(importance: string | undefined): Importance | undefined {
  const known = members.importance.schema.enum as readonly string[];
  if (importance === undefined || known.includes(importance)) return importance as Importance | undefined;
  throw new InvalidQueryError(`importance must be one of ${known.join(', ')}`);
}

function readDay(name: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const date = parseDate(text);
  if (date !== undefined) return date;
  throw new InvalidQueryError(`${name} must be YYYY-MM-DD or an RFC 3339 date-time, with "+" written as %2B`);
}

function readPart(q: string | undefined): string | undefined {
  if (q === undefined || (q.length > 0 && q.length <= MAX_SEARCH_LENGTH)) return q;
  throw new InvalidQueryError(`q must have 1 to ${MAX_SEARCH_LENGTH} characters`);
}

function readCursor(text: string | undefined, { name }: Sort): Cursor | undefined {
  if (text === undefined) return undefined;
  const cursor = decodeCursor(text);
  if (cursor === undefined) throw new InvalidQueryError('cursor is malformed: follow the Link header unchanged');
  if (cursor.sort !== name) throw new InvalidQueryError(`cursor belongs to sort=${cursor.sort}`);
  return cursor;
}
