/** One line of the doctor's page: what was looked at, what was found, and what to do about it. */
export interface Line {
  verdict: 'ok' | 'wrong' | 'note' | 'skipped';
  /** What was looked at: `aud`, `keys`, `clock`. */
  subject: string;
  /** Absent where nothing in particular is expected. */
  expected?: string;
  /** What was found, or why it was not looked at. */
  received: string;
  /** What is wrong, as the client is told. */
  description?: string;
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
