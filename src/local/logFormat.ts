const LEVELS: Record<number, string> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };

/** What every line says and nobody reads in a terminal. */
const OMITTED = new Set(['v', 'name', 'hostname', 'pid', 'level', 'time', 'msg', 'err']);

/** A bunyan line for people: time, level, message, then the fields. Anything else comes back as it is. */
export function formatLogLine(line: string): string {
  const record = parseRecord(line);
  if (record === undefined) return line;
  const time = new Date(String(record['time'])).toTimeString().slice(0, 8);
  const level = (LEVELS[Number(record['level'])] ?? String(record['level'])).padEnd(5);
  const fields = Object.entries(record).filter(([name]) => !OMITTED.has(name));
  const words = [time, level, String(record['msg']), ...fields.map(([name, value]) => `${name}=${showValue(value)}`)];
  return `${words.join(' ')}${showError(record['err'])}`;
}

function parseRecord(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const record = JSON.parse(line) as Record<string, unknown>;
    const isBunyan = typeof record['v'] === 'number' && 'level' in record && 'time' in record && 'msg' in record;
    return isBunyan ? record : undefined;
  } catch {
    return undefined;
  }
}

function showValue(value: unknown): string {
  // JSON, so that whatever a client sent cannot move the cursor or begin a line of its own.
  return typeof value === 'string' && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
}

function showError(err: unknown): string {
  if (typeof err !== 'object' || err === null) return '';
  const { stack, message } = err as { stack?: unknown; message?: unknown };
  return `\n    ${String(stack ?? message).replaceAll('\n', '\n    ')}`;
}
