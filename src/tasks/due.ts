import { InvalidTaskError } from '../errors.ts';

// RFC 3339, section 5.6, and its full-date alone.
const FORM = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d)))?$/;

const MINUTE_MS = 60_000;
// A result outside the years 0000 to 9999 does not fit the same grammar.
const EARLIEST_MS = Date.parse('0000-01-01T00:00:00.000Z');
const LATEST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Reads an RFC 3339 date-time or a plain `YYYY-MM-DD` (midnight UTC). `Date` alone would read 30 February as 2 March
 * and `1` as the year 2001. A leap second, at the end of a month in UTC, is the second that follows, as in POSIX time.
 *
 * @returns undefined if the text has another form or is not in the calendar.
 */
export function parseDate(text: string): Date | undefined {
  const [, year = '', month = '', day = '', ...time] = FORM.exec(text) ?? [];
  const date = `${year}-${month}-${day}`;
  const midnight = Date.parse(`${date}T00:00:00.000Z`);
  // A day that does not exist, such as 30 February, comes back as another one.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(date)) return undefined;
  const ms = time[0] === undefined ? midnight : addTime(midnight, time);
  return ms !== undefined && ms >= EARLIEST_MS && ms <= LATEST_MS ? new Date(ms) : undefined;
}

function addTime(midnight: number, [hour, minute, second, fraction = '', sign, ...offset]: (string | undefined)[]) {
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)];
  const [offsetHours, offsetMinutes] = [Number(offset[0] ?? 0), Number(offset[1] ?? 0)];
  if (hours > 23 || minutes > 59 || seconds > 60 || offsetHours > 23 || offsetMinutes > 59) return undefined;
  const shift = (sign === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes) * MINUTE_MS;
  const nextMinute = midnight + (hours * 60 + minutes + 1) * MINUTE_MS - shift;
  if (seconds === 60) return isMonthStart(nextMinute) ? nextMinute : undefined;
  return nextMinute - MINUTE_MS + seconds * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
}

function isMonthStart(ms: number): boolean {
  return new Date(ms).getUTCDate() === 1 && ms % DAY_MS === 0;
}

const DAY_MS = 24 * 60 * MINUTE_MS;
const MAX_DAYS = 1_000;
/** The most recently written days, up to their `T`. */
const days = new Map<number, string>();
const padded = (digits: number) => Array.from({ length: 10 ** digits }, (_, i) => String(i).padStart(digits, '0'));
const [TWO, THREE] = [padded(2), padded(3)];

/** What `toISOString` writes, in a third of its time: a list has 40 of them. */
export function isoOf(date: Date): string {
  const ms = date.getTime();
  const day = Math.floor(ms / DAY_MS);
  let text = days.get(day);
  if (text === undefined) {
    if (days.size === MAX_DAYS) days.clear();
    text = date.toISOString().split(/(?<=T)/)[0] ?? '';
    days.set(day, text);
  }
  const ofDay = ms - day * DAY_MS;
  const seconds = Math.floor(ofDay / 1000);
  const minutes = Math.floor(seconds / 60);
  return `${text}${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}.${THREE[ofDay % 1000]}Z`;
}

/** When a task is due, as the client gave it. A day has no time zone; `at` is its midnight in UTC. */
export interface Due {
  readonly kind: 'none' | 'day' | 'time';
  readonly at?: Date;
}

export const NOT_DUE: Due = { kind: 'none' };

/** One of the two names of this member in a body: `date` is always an instant, `due` is as given. */
export interface GivenDue {
  readonly name: 'due' | 'date';
  readonly due: Due;
}

/** @throws {InvalidTaskError} */
export function readDue(name: 'due' | 'date', value: unknown): GivenDue {
  if (value === null) return { name, due: NOT_DUE };
  const at = typeof value === 'string' ? parseDate(value) : undefined;
  if (at === undefined) {
    throw new InvalidTaskError(`"${name}" must be an RFC 3339 date-time or YYYY-MM-DD that exists in the calendar`);
  }
  return { name, due: { kind: (value as string).length === 'YYYY-MM-DD'.length ? 'day' : 'time', at } };
}

/** What the two names mean for a new task; null is ignored. */
export function dueOfNew(given: readonly GivenDue[]): Due {
  return agreed(given.filter(({ due }) => due.kind !== 'none')) ?? NOT_DUE;
}

/**
 * What they mean for an existing task. A client that sends back what it got, with one of the two changed, means that one.
 *
 * @param date the instant that the task shows as `date`.
 */
export function dueOfChanged(given: readonly GivenDue[], current: Due, date: Date): Due {
  return agreed(given.filter((one) => !saysWhatIs(one, current, date))) ?? current;
}

function saysWhatIs({ name, due }: GivenDue, current: Due, date: Date): boolean {
  // An instant cannot say that it stands for a day.
  if (name === 'date' && due.kind === 'time') return due.at?.getTime() === date.getTime();
  return due.kind === current.kind && due.at?.getTime() === current.at?.getTime();
}

/** @throws {InvalidTaskError} when they name different instants. */
function agreed(given: readonly GivenDue[]): Due | undefined {
  const [first, second] = given;
  if (second === undefined) return first?.due;
  if (first?.due.at?.getTime() !== second.due.at?.getTime()) {
    throw new InvalidTaskError('"due" and "date" differ: they are two names of one member, so send only one');
  }
  // For the same instant, `due` says more.
  return given.find(({ name }) => name === 'due')?.due;
}
