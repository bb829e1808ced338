import type { ListedOperation } from './list.ts';
import { type Samples, samplesFor } from './samples.ts';

/** What the page adds to an operation as Swagger UI shows it. */
interface Notes {
  samples: Samples;
  /** The codes of each status from 400. */
  errors: [status: string, codes: string[]][];
}

/** By `METHOD path`. */
export function notesOn(operations: readonly ListedOperation[]): Record<string, Notes> {
  return Object.fromEntries(
    operations.map((listed) => [
      `${listed.method} ${listed.path}`,
      { samples: samplesFor(listed), errors: errorsOf(listed) },
    ]),
  );
}

function errorsOf({ responses }: ListedOperation): Notes['errors'] {
  const refusals = responses.filter(([status]) => Number(status) >= 400);
  return refusals.map(([status, { description }]) => [
    status,
    [...description.matchAll(/`(\w+)`/g)].map(([, code = '']) => code),
  ]);
}
