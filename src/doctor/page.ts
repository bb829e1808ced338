/** The doctor's page: plain text, for people. */

/** One line of the doctor's page: what was examined, what was found, and what to do about it. */
export interface Line {
  verdict: 'ok' | 'wrong' | 'note' | 'skipped';
  /** What was examined: `aud`, `keys`, `clock`. */
  subject: string;
  /** Absent if nothing in particular is expected. */
  expected?: string;
  /** What was found, or why it was not examined. */
  received: string;
  /** What is wrong, as the client is told. */
  description?: string;
  /** What the server answers to what is wrong; 401 if absent. */
  status?: number;
  /** What to change, and where. */
  cure?: string;
}

export interface Section {
  title: string;
  lines: readonly Line[];
}

export function isWrong({ verdict }: Line): boolean {
  return verdict === 'wrong';
}

const MARKS = { ok: 'ok   ', wrong: 'WRONG', note: 'note ', skipped: '-    ' } as const;
const INDENT = ' '.repeat(10);

/** The verdict, then what led to it: everything if verbose, else only what is not ok. */
export function renderPage(
  sections: readonly Section[],
  verdict: string,
  { isVerbose }: { isVerbose: boolean },
): string {
  const shown = sections
    .map(({ title, lines }) => ({ title, lines: lines.filter((line) => isVerbose || line.verdict !== 'ok') }))
    .filter(({ lines }) => lines.length > 0);
  const more = isVerbose ? '' : '\nTo see every check: --verbose\n';
  return `${verdict}\n${shown.map((section) => `\n${renderSection(section)}`).join('')}${more}`;
}

function renderSection({ title, lines }: Section): string {
  const width = Math.max(...lines.map(({ subject }) => subject.length));
  return `${title}\n\n${lines.map((line) => renderLine(line, width)).join('')}`;
}

/** What is ok takes a line or two; what is wrong also says what to do. */
function renderLine(line: Line, width: number): string {
  const { verdict, subject, expected, received, description, cure } = line;
  const first = `  ${MARKS[verdict]}   ${subject.padEnd(width)}   ${verdict === 'wrong' ? (description ?? received) : received}\n`;
  const details = [
    isWrong(line) && description !== undefined ? `received:  ${received}` : undefined,
    expected === undefined ? undefined : `expected:  ${expected}`,
    verdict === 'note' && description !== undefined ? description : undefined,
    cure === undefined ? undefined : `do this:   ${cure}`,
  ];
  return (
    first + details.map((text) => (text === undefined ? '' : `${INDENT}${' '.repeat(width)}   ${text}\n`)).join('')
  );
}

/** @param tokenLines undefined if there was no token */
export function verdictOf(tenants: readonly Section[], tokenLines: readonly Line[] | undefined): string {
  if (tokenLines === undefined) return verdictOfTenants(tenants);
  const first = tokenLines.find(isWrong);
  if (first !== undefined) {
    return `This configuration REFUSES this token (${first.status ?? 401}): ${first.description ?? first.subject}.`;
  }
  if (tokenLines.some(({ verdict }) => verdict === 'skipped')) {
    return "This configuration cannot tell (503): the tenant's keys cannot be fetched.";
  }
  return 'This configuration ACCEPTS this token.';
}

/** Policies and tenants fail independently: the others still work. */
function verdictOfTenants(tenants: readonly Section[]): string {
  const failing = tenants.filter(({ lines }) => lines.some(isWrong));
  if (failing.length === 0) {
    return 'This configuration works. To examine a token: npm run -s doctor < token.txt';
  }
  if (failing.length === tenants.length) return 'This configuration does not work as it is.';
  return `This configuration works, but not for: ${failing.map(({ title }) => title).join(', ')}.`;
}
