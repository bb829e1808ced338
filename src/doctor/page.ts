/** The doctor's page: plain text, for people. */
import { isWrong, type Line, type Section } from './finding.ts';

const MARKS = { ok: 'ok   ', wrong: 'WRONG', note: 'note ', skipped: '-    ' } as const;
const INDENT = ' '.repeat(10);

export function renderPage(sections: readonly Section[], verdict: string): string {
  return `${sections.map(renderSection).join('\n')}\n${verdict}\n`;
}

function renderSection({ title, lines }: Section): string {
  const width = Math.max(...lines.map(({ subject }) => subject.length));
  return `${title}\n\n${lines.map((line) => renderLine(line, width)).join('')}`;
}

/** What is well takes a line or two; what is wrong also says what to do. */
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

/** @param tokenLines undefined when there was no token to look at */
export function verdictOf(tenantLines: readonly Line[], tokenLines: readonly Line[] | undefined): string {
  const first = tokenLines?.find(isWrong);
  if (first !== undefined) return `This configuration REFUSES this token (401): ${first.description ?? first.subject}.`;
  if (tokenLines?.some(({ verdict }) => verdict === 'skipped')) {
    return 'This configuration cannot tell (503): the keys of the tenant cannot be had.';
  }
  if (tokenLines !== undefined) return 'This configuration ACCEPTS this token.';
  return tenantLines.some(isWrong)
    ? 'This configuration does not work as it is.'
    : 'This configuration works. Give a token to see what it says about that: npm run doctor -- <token>';
}
