import { createdAtOf, dateOf, textOf, type TaskState } from './document.ts';

/**
 * A task as clients see it. Exactly these members: the .NET clients match names ignoring case and fail on a member
 * named `id` and on `completed: null`; the Android client fails on a task without `task`.
 */
export interface Task {
  _id: string;
  Text: string;
  /** The same as `Text`, under the name that the first clients know. */
  task: string;
  completed: boolean;
  /** Dates are RFC 3339 in UTC, with milliseconds. */
  date: string;
  completedAt: string | null;
  createdAt: string;
  updatedAt: string;
}

/** The tutorial's documents look like any other task, though they lack most of it. */
export function toTask(document: TaskState): Task {
  const text = textOf(document);
  const createdAt = createdAtOf(document);
  const completed = document.completed === true;
  return {
    _id: document._id.toHexString(),
    Text: text,
    task: text,
    completed,
    date: dateOf(document).toISOString(),
    completedAt: completed ? (document.completedAt?.toISOString() ?? null) : null,
    createdAt: createdAt.toISOString(),
    updatedAt: (document.updatedAt ?? createdAt).toISOString(),
  };
}
