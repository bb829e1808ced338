/** What the operations that are open to all have in common. */
import { NotAcceptableError } from '../errors.ts';
import { acceptsJson } from '../http/accept.ts';
import type { Guard } from '../http/operation.ts';
import { parameter } from '../http/schema.ts';

export const open: Guard = { steps: [], problems: [], headers: [], needsToken: false };
export const openJson: Guard = { ...open, steps: [acceptsJson], problems: [NotAcceptableError] };

export const ifNoneMatch = parameter('IfNoneMatch', {
  name: 'If-None-Match',
  in: 'header',
  description: 'Send nothing (304) if this `ETag` is still the current one.',
  schema: { type: 'string' },
});
