// RFC 3339, section 5.6, and its full-date alone.
const FORM = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d)))?$/;

const MINUTE_MS = 60_000;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
// A result outside the years 0000 to 9999 could not be written in the same grammar.
const EARLIEST_MS = Date.parse('0000-01-01T00:00:00.000Z');
const LATEST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Reads an RFC 3339 date-time or a plain `YYYY-MM-DD` (midnight UTC). `Date` alone would read 30 February as 2 March
 * and `1` as the year 2001. A leap second, at the end of a month in UTC, is the second that follows, as in POSIX time.
 *
 * @returns nothing when the text is of another form or names no moment of the calendar.
 */
export function parseDate(text: string): Date | undefined {
  const [, year = '', month = '', day = '', ...time] = FORM.exec(text) ?? [];
  if (!isDay(Number(year), Number(month), Number(day))) return undefined;
  const midnight = Date.parse(`${year}-${month}-${day}T00:00:00.000Z`);
  const ms = time[0] === undefined ? midnight : addTime(midnight, time);
  return ms !== undefined && ms >= EARLIEST_MS && ms <= LATEST_MS ? new Date(ms) : undefined;
}

function isDay(year: number, month: number, day: number): boolean {
  const isLeapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 && isLeapYear ? 29 : (DAYS[month - 1] ?? 0);
  return day >= 1 && day <= days;
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
  return new Date(ms).getUTCDate() === 1 && ms % (24 * 60 * MINUTE_MS) === 0;
}
