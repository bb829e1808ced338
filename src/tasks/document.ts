/** The states that a task goes through, as documents. Pure: the store decides when, the clock says which time it is. */
import { randomBytes } from 'node:crypto';
import mongoose, { type Types } from 'mongoose';
import type { TaskChanges, TaskFields } from './input.ts';
import type { TaskDocument } from './model.ts';

/** A document but for its owner, whom the collection of one owner adds. */
export type TaskState = Omit<TaskDocument, 'owner'>;

/** Where a task comes from: its id, its first version, and when. */
export interface Birth {
  id: Types.ObjectId;
  version: Types.ObjectId;
  at: Date;
}

/** 96 random bits. The driver's own ids tell the time and count, so a stranger could guess them. */
export function randomId(): Types.ObjectId {
  return new mongoose.Types.ObjectId(randomBytes(12));
}

/** 24 hexadecimal digits, in either case. */
export function isTaskId(text: string): boolean {
  return /^[0-9a-f]{24}$/i.test(text);
}

export function newTask({ id, version, at }: Birth, { text, completed, date }: TaskFields): TaskState {
  return {
    _id: id,
    Text: text,
    completed,
    date: date ?? at,
    completedAt: completed ? at : null,
    createdAt: at,
    updatedAt: at,
    version,
  };
}

/** The next state. Whole: what the tutorial's documents lack is filled in, and `seq` is left out on purpose. */
export function changedTask(current: TaskState, { text, completed, date }: TaskChanges, now: Date): TaskState {
  const createdAt = createdAtOf(current);
  const isCompleted = completed ?? current.completed === true;
  return {
    _id: current._id,
    Text: text ?? textOf(current),
    completed: isCompleted,
    date: date === undefined ? dateOf(current) : (date ?? createdAt),
    completedAt: nextCompletedAt(current, isCompleted, now),
    createdAt,
    updatedAt: now,
    version: randomId(),
  };
}

/** What stays of a deleted task, for clients that must hear of it. */
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

export function textOf({ Text, task }: TaskState): string {
  return Text ?? task ?? '';
}

/** The tutorial kept no time of creation, but its ids hold it, in seconds. */
export function createdAtOf({ _id, createdAt }: TaskState): Date {
  return createdAt ?? _id.getTimestamp();
}

export function dateOf(task: TaskState): Date {
  return task.date ?? createdAtOf(task);
}

function nextCompletedAt(current: TaskState, isCompleted: boolean, now: Date): Date | null {
  if (!isCompleted) return null;
  return current.completed === true ? (current.completedAt ?? null) : now;
}
