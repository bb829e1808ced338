/**
 * What a task has besides its text and its date, described once: how a client's value is checked, its default, how it is stored,
 * and what the API document says about it. A new member is one entry here.
 */
import { InvalidTaskError } from '../errors.ts';
import { isObject } from '../http/request.ts';
import { type Schema, schema } from '../http/schema.ts';
import { parseDate } from './due.ts';

export interface Member<T> {
  /** Its default, to which null resets it. */
  readonly absent: T;
  /**
   * @param path names it in errors.
   * @throws {InvalidTaskError}
   */
  readonly read: (value: unknown, path: string) => T;
  /** As in a mongoose schema. */
  readonly type: unknown;
  /** For a value that is not null. */
  readonly schema: Schema;
}

export interface ChecklistItem {
  text: string;
  completed: boolean;
}

export const IMPORTANCES = ['low', 'normal', 'high'] as const;
type Importance = (typeof IMPORTANCES)[number];

export const members = {
  completed: {
    absent: false,
    read: readBoolean,
    type: Boolean,
    schema: { type: 'boolean', description: 'Whether it is done.' },
  } satisfies Member<boolean>,

  notes: {
    absent: null,
    read: (value, path) => (value === '' ? null : readString(value, path, 16_384)),
    type: String,
    schema: {
      type: 'string',
      maxLength: 16_384,
      description: 'Anything else there is to say. An empty string becomes null.',
    },
  } satisfies Member<string | null>,

  importance: {
    absent: 'normal',
    read: readImportance,
    type: String,
    schema: { type: 'string', enum: IMPORTANCES, description: 'How much it matters.' },
  } satisfies Member<Importance>,

  categories: {
    absent: [],
    read: (value, path) => readCategories(value, path),
    type: [String],
    schema: {
      type: 'array',
      maxItems: 20,
      items: { type: 'string', minLength: 1, maxLength: 64 },
      description: 'Up to 20 labels. Duplicates are dropped.',
    },
  } satisfies Member<readonly string[]>,

  checklist: {
    absent: [],
    read: (value, path) => readArray(value, path, 50).map((item, i) => readItem(item, `${path}[${i}]`)),
    type: [{ _id: false, text: String, completed: Boolean }],
    schema: {
      type: 'array',
      maxItems: 50,
      items: schema('ChecklistItem', {
        type: 'object',
        required: ['text'],
        properties: {
          text: { type: 'string', minLength: 1, maxLength: 512 },
          completed: { type: 'boolean', description: 'Whether this step is done; false when absent.' },
        },
      }),
      description: 'Up to 50 steps, in their order.',
    },
  } satisfies Member<readonly ChecklistItem[]>,

  remindAt: {
    absent: null,
    read: readInstant,
    type: Date,
    schema: { type: 'string', description: 'When to remind the user, an RFC 3339 date-time. The client does so.' },
  } satisfies Member<Date | null>,

  position: {
    absent: null,
    read: (value, path) => (value === '' ? null : readPosition(value, path)),
    type: String,
    schema: {
      type: 'string',
      maxLength: 64,
      pattern: '^[!-~]*$',
      description:
        'Its place when ordered by hand: visible ASCII that the client chooses, compared byte by byte. An empty string becomes null.',
    },
  } satisfies Member<string | null>,
};

type MemberName = keyof typeof members;
export type Details = { -readonly [Name in MemberName]: ReturnType<(typeof members)[Name]['read']> };

/** As a list, for code that treats all alike. */
export const memberList = Object.entries(members) as [MemberName, Member<unknown>][];

export const ABSENT = Object.fromEntries(memberList.map(([name, { absent }]) => [name, absent])) as Details;

/** A string of well-formed Unicode; lengths in UTF-16 code units, like JavaScript's `length`. */
export function readString(value: unknown, path: string, max: number, min = 0): string {
  if (typeof value !== 'string') throw new InvalidTaskError(`"${path}" must be a string`);
  if (value.length < min || value.length > max) {
    throw new InvalidTaskError(
      `"${path}" has ${value.length} characters, expected ${min === 0 ? 'at most' : `${min} to`} ${max}`,
    );
  }
  // BSON would silently store a lone surrogate as U+FFFD.
  if (!value.isWellFormed()) {
    throw new InvalidTaskError(`"${path}" is not well-formed Unicode: it has a lone surrogate`);
  }
  return value;
}

function readBoolean(value: unknown, path: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new InvalidTaskError(`"${path}" must be true or false`);
}

function readImportance(value: unknown, path: string): Importance {
  const known = IMPORTANCES.find((one) => one === value);
  if (known !== undefined) return known;
  throw new InvalidTaskError(`"${path}" must be low, normal or high`);
}

function readArray(value: unknown, path: string, max: number): unknown[] {
  if (!Array.isArray(value)) throw new InvalidTaskError(`"${path}" must be an array`);
  if (value.length > max) throw new InvalidTaskError(`"${path}" has ${value.length} elements, expected at most ${max}`);
  return value;
}

function readCategories(value: unknown, path: string): string[] {
  const given = readArray(value, path, Infinity).map((one, i) => readString(one, `${path}[${i}]`, 64, 1));
  return readArray([...new Set(given)], path, 20) as string[];
}

function readItem(value: unknown, path: string): ChecklistItem {
  if (!isObject(value)) {
    throw new InvalidTaskError(`"${path}" must be an object with a "text"`);
  }
  const { text, completed } = value;
  return {
    text: readString(text, `${path}.text`, 512, 1),
    completed: completed === undefined || completed === null ? false : readBoolean(completed, `${path}.completed`),
  };
}

function readInstant(value: unknown, path: string): Date {
  // A day is not a moment at which a client could remind anybody.
  const date = typeof value === 'string' && value.length > 'YYYY-MM-DD'.length ? parseDate(value) : undefined;
  if (date !== undefined) return date;
  throw new InvalidTaskError(`"${path}" must be an RFC 3339 date-time that exists in the calendar`);
}

function readPosition(value: unknown, path: string): string {
  const position = readString(value, path, 64);
  if (!/^[!-~]+$/.test(position)) throw new InvalidTaskError(`"${path}" must consist of visible ASCII characters`);
  return position;
}
