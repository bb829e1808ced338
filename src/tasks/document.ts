/** The states of a task, as documents. Pure: the caller passes the time. */
import { randomBytes } from 'node:crypto';
import mongoose, { type Types } from 'mongoose';
import { show } from '../show.ts';
import { type Due, dueOfChanged, dueOfNew, isoOf, NOT_DUE } from './due.ts';
import { agreedText, type TaskInput } from './input.ts';
import { ABSENT, type Details, memberList } from './members.ts';
import type { CreationDocument, TaskDocument } from './model.ts';

/** A document without its owner, which `Owned` adds. */
export type TaskState = Omit<TaskDocument, 'owner'>;

/** Where a task comes from: its id, its first version, and when. */
export type Birth = Pick<CreationDocument, 'task' | 'version' | 'at'>;

/** Everything that a client can set. */
export interface Draft {
  text: string;
  due: Due;
  details: Details;
}

const ID_BYTES = 12;
/** Random bytes not yet used: fetching a few takes as long as fetching many. */
let fresh = Buffer.alloc(0);

/** 96 random bits. The driver's own ids contain the time and a counter, so a stranger could guess them. */
export function randomId(): Types.ObjectId {
  if (fresh.length === 0) fresh = randomBytes(ID_BYTES * 256);
  const bytes = fresh.subarray(0, ID_BYTES);
  fresh = fresh.subarray(ID_BYTES);
  return new mongoose.Types.ObjectId(bytes);
}

/** 24 hexadecimal digits, in upper or lower case. */
export function isTaskId(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{24}$/i.test(text);
}

/**
 * What a body sets in a new task.
 *
 * @throws {InvalidTaskError} when two names of one member differ.
 */
export function draftOf({ texts, dues, details }: TaskInput): Draft {
  return { text: agreedText(texts), due: dueOfNew(dues), details: { ...ABSENT, ...details } };
}

export function newBirth(at: Date, task = randomId()): Birth {
  return { task, version: randomId(), at };
}

export function newTask({ task, version, at }: Birth, draft: Draft): TaskState {
  const completedAt = draft.details.completed ? at : null;
  return { _id: task, ...stored(draft, at), completedAt, createdAt: at, updatedAt: at, version };
}

/** The next state, keeping what the body omits. Without `seq`, on purpose. */
export function patchedTask(current: TaskState, input: TaskInput, now: Date): TaskState {
  assertShowable(current);
  return nextTask(current, { ...input, details: { ...detailsOf(current), ...input.details } }, now);
}

/** The next state, with defaults for what the body omits. */
export function replacedTask(current: TaskState, input: TaskInput, now: Date): TaskState {
  const dues = input.dues.length > 0 ? input.dues : [{ name: 'due', due: NOT_DUE } as const];
  return nextTask(current, { ...input, dues, details: { ...ABSENT, ...input.details } }, now);
}

function nextTask(
  current: TaskState,
  { texts, dues, details }: TaskInput & { details: Details },
  now: Date,
): TaskState {
  const createdAt = createdAtOf(current);
  const text = textOf(current);
  // A client that sends back what it got, with one of the two names changed, means that one.
  const changed = texts.filter((other) => other !== text);
  const draft = {
    text: changed.length > 0 ? agreedText(changed) : text,
    due: dueOfChanged(dues, dueOf(current), dateOf(current)),
    details,
  };
  return {
    _id: current._id,
    ...stored(draft, createdAt),
    completedAt: nextCompletedAt(current, details.completed, now),
    createdAt,
    updatedAt: now,
    version: randomId(),
  };
}

/** Defaults are not stored, so that a plain task stays small. */
function stored({ text, due, details }: Draft, createdAt: Date): Omit<TaskState, '_id'> {
  const { completed } = details;
  const state: Record<string, unknown> = { Text: text, completed, date: due.at ?? createdAt };
  if (due.kind !== 'time') state['due'] = due.kind;
  for (const [name, { absent }] of memberList) {
    const value = details[name];
    const isEmpty = value === absent || (Array.isArray(value) && value.length === 0);
    if (!isEmpty) state[name] = value;
  }
  return state;
}

/** What remains of a deleted task, for clients that must learn of it. */
export function tombstone(id: Types.ObjectId, now: Date): TaskState {
  return { _id: id, deletedAt: now, version: randomId() };
}

export function isDeleted({ deletedAt }: TaskState): boolean {
  return deletedAt instanceof Date;
}

/** The opaque part of a task's entity tag. The tutorial's documents have no version until they are first written. */
export function tagOf({ _id, version }: TaskState): string {
  return (version ?? _id).toHexString();
}

/** An import may have made a number of it. */
export function textOf({ Text, task }: TaskState): string {
  const text: unknown = Text ?? task ?? '';
  return String(text);
}

const TIMES = ['date', 'createdAt', 'updatedAt', 'completedAt'] as const;

/**
 * Another program, such as an import without types, may have stored what can be neither shown nor sorted. Left out, a task
 * would be gone for its user, and devices that sync would drop it.
 *
 * @throws {Error} naming the document for the operator, without its content.
 */
function assertShowable(task: TaskState): void {
  for (const name of TIMES) {
    if (!isTime(task[name])) throw unshowable(task, `${name} is not a date`);
  }
  if (!(task._id instanceof mongoose.Types.ObjectId)) throw unshowable(task, '_id is not an ObjectId');
}

function isTime(value: unknown): boolean {
  return value === undefined || value === null || (value instanceof Date && !Number.isNaN(value.getTime()));
}

function unshowable({ _id }: TaskState, why: string): Error {
  return new Error(
    `a task that another program stored cannot be shown: in the collection tasks, document ${show(_id)}, ${why}; convert it` +
      ' as docs/operate.md says under "Data from elsewhere"',
  );
}

/** The tutorial stored no time of creation, but its ids contain it, in seconds. */
function createdAtOf({ _id, createdAt }: TaskState): Date {
  return createdAt ?? _id.getTimestamp();
}

function dateOf(task: TaskState): Date {
  return task.date ?? createdAtOf(task);
}

/** Tasks of the tutorial and of earlier versions have only their date. */
function dueOf(task: TaskState): Due {
  return task.due === 'none' ? NOT_DUE : { kind: task.due ?? 'time', at: dateOf(task) };
}

function detailsOf(task: TaskState): Details {
  const details = Object.fromEntries(memberList.map(([name, { absent }]) => [name, task[name] ?? absent])) as Details;
  return { ...details, completed: task.completed === true };
}

function nextCompletedAt(current: TaskState, isCompleted: boolean, now: Date): Date | null {
  if (!isCompleted) return null;
  return current.completed === true ? (current.completedAt ?? null) : now;
}

/**
 * A task as clients see it, in JSON. Exactly these members: the .NET clients match names ignoring case and fail on a member
 * named `id` and on `completed: null`; the Android client fails on a task without `task`. The tutorial's documents look like
 * any other task, although they lack most members.
 *
 * Written piece by piece, since a list does this for each of its tasks: serializing an object took twice as long, a twentieth
 * of a list.
 */
export function taskJson(document: TaskState): string {
  assertShowable(document);
  const text = JSON.stringify(textOf(document));
  const completed = document.completed === true;
  const date = isoOf(dateOf(document));
  const created = createdAtOf(document);
  let details = '';
  for (const { name, begin, absent } of DETAILS) {
    const value = document[name] ?? null;
    details += value === null ? absent : begin + JSON.stringify(value);
  }
  return (
    `{"_id":"${document._id.toHexString()}","Text":${text},"task":${text},"completed":${completed},"date":"${date}",` +
    `"due":${dueJson(date, document.due)},"completedAt":${timeJson(completed ? document.completedAt : null)}${details},` +
    `"createdAt":${timeJson(created)},"updatedAt":${timeJson(document.updatedAt ?? created)}}`
  );
}

/** Shown as they are stored, unlike `completed`, which may be absent. */
const DETAILS = memberList
  .filter(([name]) => name !== 'completed')
  .map(([name, { absent }]) => {
    const begin = `,"${name}":`;
    return { name, begin, absent: begin + JSON.stringify(absent) };
  });

function timeJson(date: Date | null | undefined): string {
  return date === null || date === undefined ? 'null' : `"${isoOf(date)}"`;
}

/** The due date as the client gave it. @param date the instant, in RFC 3339 */
function dueJson(date: string, kind: TaskState['due']): string {
  if (kind === 'none') return 'null';
  return `"${kind === 'day' ? date.slice(0, 'YYYY-MM-DD'.length) : date}"`;
}
