/** What the command line asks for. */
export interface Request {
  /** Examine with the settings of the development tenant. */
  isForDevelopment: boolean;
  /** Undefined: from stdin, if anything comes there. */
  token: string | undefined;
}

export const USAGE = `Usage: npm run doctor -- [--dev] [<token>]

Explains why this configuration (the environment and .env) accepts or refuses a token, check by check, and whether the
tenant can be reached. Without a token on the command line it is read from stdin; without any, the configuration alone
is examined.

  --dev    examine with the settings of the development tenant of \`npm run dev\`
  --help   show this

Exit code: 0 accepted (or, without a token, the configuration works), 1 refused, 2 command line not understood.
`;

/** Undefined when the command line is not understood. */
export function parseArguments(args: readonly string[]): Request | 'help' | undefined {
  if (args.includes('--help') || args.includes('-h')) return 'help';
  const options = args.filter((arg) => arg.startsWith('-'));
  const words = args.filter((arg) => !arg.startsWith('-'));
  // As it is copied from a header.
  if (/^bearer$/i.test(words[0] ?? '')) words.shift();
  if (options.some((option) => option !== '--dev') || words.length > 1) return undefined;
  return { isForDevelopment: options.length > 0, token: words[0] === undefined ? undefined : cleanToken(words[0]) };
}

/** White space around a token comes from copying; inside one it is a fault that the page should show. */
export function cleanToken(text: string): string {
  return text
    .trim()
    .replace(/^authorization:\s*/i, '')
    .replace(/^bearer\s+/i, '');
}
