/** The parameters of a list, and what they mean for the store. */
import mongoose, { type Types } from 'mongoose';
import { InvalidQueryError } from '../errors.ts';
import { isTaskId, type TaskState, textOf } from './document.ts';
import { parseDate } from './due.ts';
import { IMPORTANCES, members } from './members.ts';
import { SORTED, type TaskDocument } from './model.ts';
import { type Where } from './owned.ts';
import { decodeOpaque, encodeOpaque, isText } from './page.ts';

export const DEFAULT_LIMIT = 20;
export const MAX_LIMIT = 100;
export const MAX_SEARCH_LENGTH = 100;
const MAX_CATEGORY_LENGTH = members.categories.schema.items.maxLength;

/** An order. Ties are broken by the id, in the same direction. */
export interface Sort {
  /** As a client writes it, such as `-date`. */
  name: string;
  field: (typeof SORTED)[number];
  isDescending: boolean;
}

const OLDEST_FIRST: Sort = { name: 'date', field: 'date', isDescending: false };
export const SORTS: readonly Sort[] = SORTED.flatMap((field) => [
  { name: field, field, isDescending: false },
  { name: `-${field}`, field, isDescending: true },
]);

/** The position after a task in a sorted list. An unchanged task stays on the same side of it whatever comes and goes. */
export interface Cursor {
  /** The name of the order: a position in one means nothing in another. */
  sort: string;
  /** The task's sort key: milliseconds, or its position; null if it has none. */
  key: number | string | null;
  id: Types.ObjectId;
}

type Search = (task: TaskState) => boolean;

/** What to list, in which order, starting where. */
export interface Listing {
  limit: number;
  sort: Sort;
  /** Only under `$and`, so that it can be combined with any other condition. */
  where: Where<TaskDocument>;
  q: Search | undefined;
  cursor: Cursor | undefined;
}

export type ListQuery = Readonly<Partial<Record<string, string>>>;

/** @throws {InvalidQueryError} naming the invalid parameter. */
export function readListing(query: ListQuery, defaultLimit = DEFAULT_LIMIT): Listing {
  const sort = given(query, 'sort', SORT_EXPECTED, (text) => SORTS.find(({ name }) => name === text)) ?? OLDEST_FIRST;
  const cursor = given(query, 'cursor', 'is malformed: follow the Link header as it is', readCursor);
  if (cursor !== undefined && cursor.sort !== sort.name) {
    throw new InvalidQueryError(`cursor belongs to sort=${cursor.sort}`);
  }
  const filters = [
    given(query, 'completed', 'must be true or false', whereCompleted),
    given(query, 'importance', `must be one of ${IMPORTANCES.join(', ')}`, whereImportance),
    given(query, 'category', `must have 1 to ${MAX_CATEGORY_LENGTH} characters`, whereCategory),
    given(query, 'dueAfter', DAY_EXPECTED, (text) => whereDue('$gte', text)),
    given(query, 'dueBefore', DAY_EXPECTED, (text) => whereDue('$lt', text)),
  ].filter((filter) => filter !== undefined);
  return {
    limit: readLimit(query, defaultLimit),
    sort,
    where: filters.length === 0 ? {} : { $and: filters },
    q: given(query, 'q', `must have 1 to ${MAX_SEARCH_LENGTH} characters`, readSearch),
    cursor,
  };
}

const SORT_EXPECTED = `must be ${SORTED.join(', ')}, or one of these after a "-"`;
const DAY_EXPECTED = 'must be YYYY-MM-DD or an RFC 3339 date-time, with "+" written as %2B';

/** A number from 1 to 100. Also for the changes. */
export function readLimit(query: ListQuery, absent: number): number {
  const read = (text: string) => {
    const number = /^\d{1,3}$/.test(text) ? Number(text) : 0;
    return number >= 1 && number <= MAX_LIMIT ? number : undefined;
  };
  return given(query, 'limit', `must be a number from 1 to ${MAX_LIMIT}`, read) ?? absent;
}

/**
 * A parameter's value; undefined if it is absent.
 *
 * @throws {InvalidQueryError} with what was expected, if `read` returns undefined.
 */
function given<T>(query: ListQuery, name: string, expected: string, read: (text: string) => T): T | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  const value = read(text);
  if (value === undefined) throw new InvalidQueryError(`${name} ${expected}`);
  return value;
}

function whereCompleted(text: string): Where<TaskDocument> | undefined {
  if (text === 'true') return { completed: { $eq: true } };
  // The tutorial's tasks may lack this member, and then are not completed.
  return text === 'false' ? { completed: { $ne: true } } : undefined;
}

function whereImportance(text: string): Where<TaskDocument> | undefined {
  const importance = IMPORTANCES.find((known) => known === text);
  // Defaults are not stored.
  return importance && { importance: { $in: [importance, importance === 'normal' ? null : importance] } };
}

function whereCategory(text: string): Where<TaskDocument> | undefined {
  return text === '' || text.length > MAX_CATEGORY_LENGTH ? undefined : { categories: { $eq: text } };
}

/** The tutorial's tasks may have no date. They are due when they were created, which their id contains in seconds. */
function whereDue(operator: '$gte' | '$lt', text: string): Where<TaskDocument> | undefined {
  const date = parseDate(text);
  if (date === undefined) return undefined;
  const seconds = Math.min(Math.max(Math.ceil(date.getTime() / 1000), 0), 0xffff_ffff);
  const id = mongoose.Types.ObjectId.createFromTime(seconds);
  return { due: { $ne: 'none' }, $or: [{ date: { [operator]: date } }, { date: null, _id: { [operator]: id } }] };
}

/** The position after this task in this order. */
export function cursorBehind(task: TaskState, { name, field }: Sort): Cursor {
  const key = task[field] ?? null;
  return { sort: name, key: key instanceof Date ? key.getTime() : key, id: task._id };
}

export function encodeCursor({ sort, key, id }: Cursor): string {
  return encodeOpaque([sort, key, id.toHexString()]);
}

function readCursor(text: string): Cursor | undefined {
  const parts = decodeOpaque(text, [isText, isKey, isTaskId]);
  if (parts === undefined) return undefined;
  const [sort, key, id] = parts;
  if (key !== null && (typeof key === 'string') !== sort.endsWith('position')) return undefined;
  return { sort, key, id: new mongoose.Types.ObjectId(id) };
}

function isKey(part: unknown): part is Cursor['key'] {
  return part === null || isText(part) || (Number.isInteger(part) && !Number.isNaN(new Date(part as number).getTime()));
}

/** The same list from another position. Unknown parameters are left out, so that references stay short. */
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
 * What follows the cursor, or everything, as consecutive parts: if tasks without a key do not belong where the store puts
 * them (first), they are a separate part. Each part has its bounds at the front, since for bounds inside an `$or` the store
 * would read the index from its beginning.
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
    $or: [{ [field]: { [beyond]: key } }, { [field]: { $eq: key }, ...tie }],
  };
  return isKeyFirst ? [following, withoutKey] : [following];
}

function readSearch(q: string): Search | undefined {
  if (q === '' || q.length > MAX_SEARCH_LENGTH) return undefined;
  const isIn = containing(q);
  return (task) => isIn(textOf(task)) || (task.notes != null && isIn(task.notes));
}

/**
 * Whether a text contains another, ignoring case and normalization form. A pattern in the database would ignore neither form,
 * and could take time proportional to the product of both lengths; so could V8's own search, which may compare the whole part
 * at every position. This takes time proportional to the length of the text (Knuth, Morris, Pratt).
 *
 * @param part not empty.
 */
export function containing(part: string): (text: string) => boolean {
  const wanted = folded(part);
  /** For each prefix of it: the length of its longest proper prefix that is also a suffix. */
  const borders = [0];
  const next = (matched: number, char: string | undefined): number => {
    while (matched > 0 && char !== wanted[matched]) matched = borders[matched - 1] ?? 0;
    return char === wanted[matched] ? matched + 1 : matched;
  };
  for (let i = 1; i < wanted.length; i += 1) borders.push(next(borders[i - 1] ?? 0, wanted[i]));
  return (text) => {
    const all = folded(text);
    let matched = 0;
    for (let i = 0; i < all.length && matched < wanted.length; i += 1) matched = next(matched, all[i]);
    return matched === wanted.length;
  };
}

/** Upper case has one form where lower case has several, as with the two small sigmas and the sharp s. */
export function folded(text: string): string {
  return text.normalize('NFD').toLowerCase().toUpperCase().normalize('NFC');
}
