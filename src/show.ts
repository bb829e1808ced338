/** How values from outside are shown to people: on one line, short, unmistakable. */

const MAX_SHOWN = 200;

// Controls (C0, DEL, C1), line separators, and what turns the direction of text around (Unicode, UAX #9).
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** The text with every character that a terminal would obey instead of showing written as an escape. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escaped);
}

/** A value as JSON, at most 200 characters of it. */
export function show(value: unknown): string {
  if (value === undefined) return 'absent';
  return shortened(visible(toJson(value)));
}

/** Enough of a text to recognise it: 200 characters. */
export function shortened(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN).toWellFormed()}…` : text;
}

/** A NumericDate (RFC 7519, section 2) for people; the value itself if it is not a time. */
export function showTime(seconds: unknown): string {
  const date = new Date(typeof seconds === 'number' ? seconds * 1000 : NaN);
  return Number.isNaN(date.getTime()) ? show(seconds) : date.toISOString();
}

const UNITS = [
  ['day', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** A length of time in its two largest units: `2 h 5 min`. */
export function showDuration(seconds: number): string {
  let left = Math.round(Math.abs(seconds));
  const parts = UNITS.map(([unit, length]) => {
    const count = Math.floor(left / length);
    left -= count * length;
    return { count, text: `${count} ${unit}${unit === 'day' && count > 1 ? 's' : ''}` };
  });
  const first = parts.findIndex(({ count }) => count > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(({ count }) => count > 0)
    .map(({ text }) => text)
    .join(' ');
}

/** A time relative to now, in seconds: `in 5 min`, `5 min ago`. */
export function showFromNow(seconds: number): string {
  return seconds < 0 ? `${showDuration(seconds)} ago` : `in ${showDuration(seconds)}`;
}

/** `JSON.stringify` recurses: a deeply nested value must not end a report. */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return 'a value nested too deeply to be shown';
    throw error;
  }
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
