import { TaskNotFoundError } from '../errors.ts';

// Enough to recognise it by.
const MAX_QUOTED = 200;

/** The error for what the caller has not, quoting it as it came, though not all of a path of several kilobytes. */
export function notFound(segment: string): TaskNotFoundError {
  const isLong = segment.length > MAX_QUOTED;
  return new TaskNotFoundError(isLong ? `${segment.slice(0, MAX_QUOTED).toWellFormed()}…` : segment);
}
