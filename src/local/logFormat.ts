import type { styleText } from 'node:util';
import { visible } from '../show.ts';
import { EXTERNAL_TENANT_ID, TENANT_ID, userNamed, USERS } from './tenant/identity.ts';

type Style = Parameters<typeof styleText>[0];

/** Colours a text if the terminal has colours. */
export type Paint = (style: Style, text: string) => string;

/** The request id of our own probes, which are not shown. */
export const PROBE_ID = 'npm-run-dev';

type LogRecord = Readonly<Record<string, unknown>>;

const LEVELS: Readonly<Record<number, readonly [name: string, style: Style]>> = {
  10: ['TRACE', 'dim'],
  20: ['DEBUG', 'dim'],
  30: ['INFO', 'dim'],
  40: ['WARN', 'yellow'],
  50: ['ERROR', 'red'],
  60: ['FATAL', 'red'],
};

/** In every line, and of no use in a terminal. */
const OMITTED = new Set(['v', 'name', 'hostname', 'pid', 'level', 'time', 'msg', 'err', 'requestId']);

/**
 * Turns the log lines of one API process into lines for people: a request as `POST /api/tasks 409 MissingTask 4 ms alice`,
 * anything else as time, level, message and fields. Lines that are not from the log stay as they are.
 *
 * @returns a function that returns undefined for a line that nobody needs to see.
 */
export function createLogFormatter(paint: Paint = (_style, text) => text): (line: string) => string | undefined {
  let areKeysKnown = false;
  return (line) => {
    const record = parseRecord(line);
    if (record === undefined) return line;
    if (record['requestId'] === PROBE_ID) return undefined;
    if (record['msg'] === 'tenant keys not fetched') areKeysKnown = false;
    if (record['msg'] === 'tenant keys known') {
      // One line for all policies.
      if (areKeysKnown) return undefined;
      areKeysKnown = true;
    }
    const time = paint('dim', new Date(String(record['time'])).toTimeString().slice(0, 8));
    const isRequest = record['msg'] === 'handled' && typeof record['method'] === 'string';
    return `${time} ${isRequest ? formatRequest(record, paint) : formatOther(record, paint)}`;
  };
}

function formatRequest({ method, path, route, status, code, ms, user }: LogRecord, paint: Paint): string {
  const outcome = `${String(status)} ${typeof code === 'string' ? visible(code) : ''}`.padEnd(24);
  const words = [
    String(method).padEnd(7),
    visible(String(path ?? route)).padEnd(36),
    paint(styleOf(Number(status)), outcome),
    `${showDuration(Number(ms))} ms`.padStart(8),
    typeof user === 'string' ? ` ${nameOf(user)}` : '',
  ];
  return words.join(' ').trimEnd();
}

function styleOf(status: number): Style {
  if (status >= 500) return 'red';
  if (status >= 400) return 'yellow';
  return 'green';
}

function showDuration(ms: number): string {
  return ms < 1 ? '<1' : ms.toFixed();
}

const NAMES = new Map(
  [TENANT_ID, EXTERNAL_TENANT_ID].flatMap((tenant) => USERS.map((name) => [userNamed(name, tenant).oid, name])),
);

/** Names for the people of the sign-in page; for everybody else the object id, or the beginning of one. */
function nameOf(oid: string): string {
  const short = /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(oid) || oid.length > 40 ? `${oid.slice(0, 8)}…` : oid;
  return visible(NAMES.get(oid) ?? short);
}

function formatOther(record: LogRecord, paint: Paint): string {
  const [name, style] = LEVELS[Number(record['level'])] ?? [String(record['level']), 'dim'];
  const isAboutKeys = record['msg'] === 'tenant keys known';
  const fields = isAboutKeys ? [] : Object.entries(record).filter(([field]) => !OMITTED.has(field));
  const words = fields.map(([field, value]) => `${visible(field)}=${showValue(value)}`);
  return [paint(style, name.padEnd(5)), visible(String(record['msg'])), ...words].join(' ') + showError(record['err']);
}

function showValue(value: unknown): string {
  // JSON, so that nothing a client sent can start a new line, and without characters that a terminal would obey.
  return typeof value === 'string' && /^[\w./:@-]+$/.test(value) ? value : visible(JSON.stringify(value));
}

function showError(err: unknown): string {
  if (typeof err !== 'object' || err === null) return '';
  const { stack, message, code } = err as { stack?: unknown; message?: unknown; code?: unknown };
  const lines = String(stack ?? message ?? code).split('\n');
  return lines.map((line) => `\n    ${visible(line)}`).join('');
}

function parseRecord(line: string): LogRecord | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const record = JSON.parse(line) as LogRecord;
    const isBunyan = typeof record['v'] === 'number' && 'level' in record && 'time' in record && 'msg' in record;
    return isBunyan ? record : undefined;
  } catch {
    return undefined;
  }
}
