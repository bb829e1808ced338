/** Reads what a client says about a task, strictly: nothing but checked strings, booleans and dates goes on from here. */
import { InvalidTaskError, MissingTaskError } from '../errors.ts';
import type { BodyKind } from '../http/mediaType.ts';
import type { Members } from '../http/request.ts';
import { parseDate } from './date.ts';

/** UTF-16 code units, JavaScript's `length`. */
export const MAX_TEXT_LENGTH = 4096;

/** A whole task. */
export interface TaskFields {
  text: string;
  completed: boolean;
  /** Absent: the time of creation. */
  date: Date | undefined;
}

/** What changes in a task; what is absent stays. */
export interface TaskChanges {
  text?: string;
  completed?: boolean;
  /** Null: back to the time of creation. */
  date?: Date | null;
}

/**
 * The task in a body of POST or PUT.
 *
 * @throws {MissingTaskError} without a text.
 * @throws {InvalidTaskError} naming the member of the wrong type or value.
 */
export function readTask(members: Members = {}, kind: BodyKind = 'json'): TaskFields {
  const text = checkText(readTextMember(members));
  const { completed = false, date } = readDetails(members, kind);
  return { text, completed, date };
}

/** The task of a POST that has its text in the URL; a body may add the rest, and must not name another text. */
export function readTaskNamed(text: string, members: Members = {}, kind: BodyKind = 'json'): TaskFields {
  const { Text = text, task = text } = members;
  if (Text !== text || task !== text)
    throw new InvalidTaskError('the text in the body differs from the one in the URL');
  return readTask({ ...members, Text: text, task: text }, kind);
}

/** A text that selects tasks, and what changes in them. */
export function readUpdate(members: Members = {}, kind: BodyKind = 'json'): { text: string; changes: TaskChanges } {
  return { text: checkText(readTextMember(members)), changes: readDetails(members, kind) };
}

/** A JSON merge patch (RFC 7396): null sets a member back to what it is when absent. */
export function readPatch(members: Members): TaskChanges {
  const text = readTextMember(members);
  const { completed, date } = members;
  return {
    ...(text !== undefined && { text: checkText(text) }),
    ...(completed !== undefined && { completed: completed === null ? false : readCompleted(completed, 'json') }),
    ...(date !== undefined && { date: date === null ? null : readDate(date) }),
  };
}

/**
 * The one text that all these sources agree on; undefined when none of them has a text member at all.
 *
 * @throws {InvalidTaskError} when they differ.
 */
export function readSelection(...sources: Members[]): string | undefined {
  const given = sources.map(readTextMember).filter((text) => text !== undefined);
  if (given.length === 0) return undefined;
  if (given.some((text) => text !== given[0])) throw new InvalidTaskError('the texts given differ: send one of them');
  return checkText(given[0]);
}

/** @throws {MissingTaskError | InvalidTaskError} when it is no text for a task. */
export function checkText(text: unknown): string {
  if (text === undefined || text === null) throw new MissingTaskError();
  if (typeof text !== 'string') throw new InvalidTaskError('"Text" must be a string ("task" is the same)');
  if (text.trim() === '') throw new MissingTaskError();
  if (text.length > MAX_TEXT_LENGTH) {
    throw new InvalidTaskError(`"Text" has ${text.length} characters: ${MAX_TEXT_LENGTH} at most`);
  }
  // BSON would store a lone surrogate as U+FFFD, silently.
  if (!text.isWellFormed()) throw new InvalidTaskError('"Text" is not well-formed Unicode: it has a lone surrogate');
  return text;
}

function readTextMember({ Text, task }: Members): unknown {
  if (Text !== undefined && task !== undefined && Text !== task) {
    throw new InvalidTaskError('"Text" and "task" differ: they are the same under two names, so send one of them');
  }
  return Text === undefined ? task : Text;
}

function readDetails({ completed, date }: Members, kind: BodyKind): { completed?: boolean; date?: Date } {
  return {
    ...(completed !== undefined && { completed: readCompleted(completed, kind) }),
    ...(date !== undefined && { date: readDate(date) }),
  };
}

function readCompleted(value: unknown, kind: BodyKind): boolean {
  // A form has nothing but text.
  if (value === true || (kind === 'form' && value === 'true')) return true;
  if (value === false || (kind === 'form' && value === 'false')) return false;
  throw new InvalidTaskError('"completed" must be true or false');
}

function readDate(value: unknown): Date {
  const date = typeof value === 'string' ? parseDate(value) : undefined;
  if (date === undefined) {
    throw new InvalidTaskError('"date" must be an RFC 3339 date-time or YYYY-MM-DD that exists in the calendar');
  }
  return date;
}
