/** How the text of a variable becomes a value, for `config/variables.ts`. */
import { canonicalId } from '../src/guid.ts';

/** Thrown for an unusable text. The message says why, if there is more to say than "not what is expected". */
export class UnusableValueError extends Error {
  /** The text may be a misplaced secret: it must not be shown. */
  readonly isSecret: boolean;

  constructor(message = '', { isSecret = false } = {}) {
    super(message);
    this.isSecret = isSecret;
  }
}

/** @throws {UnusableValueError} */
export type Read<T> = (text: string) => T;

/** A common mistake, and what it is. */
type Slip = readonly [form: RegExp, what: string];

/** Text of that form. */
export function text(form: RegExp, slips: readonly Slip[] = []): Read<string> {
  return (value) => {
    const slip = slips.find(([mistaken]) => mistaken.test(value));
    if (slip !== undefined) throw new UnusableValueError(slip[1]);
    if (!form.test(value)) throw new UnusableValueError();
    return value;
  };
}

export function oneOf<T extends string>(...values: readonly T[]): Read<T> {
  return (value) => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) throw new UnusableValueError();
    return found;
  };
}

export function flag(value: string): boolean {
  return oneOf('true', 'false')(value) === 'true';
}

export function number({ min, max, integer = false }: { min: number; max: number; integer?: boolean }): Read<number> {
  return (value) => {
    const read = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
    if (!(read >= min && read <= max) || (integer && !Number.isInteger(read))) throw new UnusableValueError();
    return read;
  };
}

/** Undefined for an empty text. */
export function optional<T>(read: Read<T>): Read<T | undefined> {
  return (value) => (value === '' ? undefined : read(value));
}

/** Several separated by commas, without duplicates; none for an empty text. */
export function list(item: Read<string>): Read<readonly string[]> {
  return (value) => (value === '' ? [] : [...new Set(value.split(',').map((one) => item(one.trim())))]);
}

// The form of Azure's secrets; no id looks like that.
const CLIENT_SECRET = /^[\w.~-]{3}\dQ~/;

/** An application id as the portal gives it, or another `aud` value. */
export function applicationId(value: string): string {
  if (CLIENT_SECRET.test(value)) throw new UnusableValueError('a client secret', { isSecret: true });
  return canonicalId(text(/^\S+$/, [[/^0{8}-(0{4}-){3}0{12}$/, 'the example of .env.example']])(value));
}

/** An https URL without user and password. */
export function httpsUrl(value: string): string {
  const url = URL.parse(value.replaceAll('{policy}', 'policy'));
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') throw new UnusableValueError();
  return value;
}

// A host is a name or an IPv6 address. For the schemes that browsers know, `URL` says how they write an origin; an app in a
// web view has its own scheme (`capacitor://localhost`), which is sent unchanged.
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/;

/** `*`, or an origin exactly as a browser sends it (the Fetch standard, section 3.1). */
export function origin(value: string): string {
  if (value === '*') return value;
  const serialized = ORIGIN.test(value) ? URL.parse(value)?.origin : undefined;
  if (serialized === undefined) throw new UnusableValueError('no browser sends that as an origin');
  if (serialized !== 'null' && serialized !== value) throw new UnusableValueError(`browsers send ${serialized}`);
  return value;
}

/** `toLowerCase` would also fold letters such as the Kelvin sign into ASCII ones. */
export function lowerCaseAscii(value: string): string {
  return value.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
