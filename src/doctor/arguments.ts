import { readCommandLine, UsageError } from '../commandLine.ts';

/** What the command line asks for. */
export interface Request {
  /** Examine with the settings of the development tenant. */
  isForDevelopment: boolean;
  /** Show what is well, too. */
  isVerbose: boolean;
  /** Undefined: read it from stdin, if anything comes there. */
  token: string | undefined;
}

export const USAGE = `Usage: npm run doctor -- [--dev] [--verbose] [<token>]

Says whether this configuration (the environment and .env) accepts a token, and what to change if not; also whether the
tenants can be reached. Give the token on stdin, so that it does not show in the list of processes:

  pbpaste | npm run -s doctor

Without a token, only the configuration is examined.

  --dev       examine with the settings of the development tenant of \`npm run dev\`
  --verbose   show every check
  --help      show this

Exit code: 0 accepted (without a token: the configuration works), 1 refused, 2 invalid command line.
`;

/** @throws {UsageError} */
export function parseArguments(args: string[]): Request | 'help' {
  const options = {
    dev: { type: 'boolean' },
    verbose: { type: 'boolean', short: 'v' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { positionals, values } = readCommandLine({ args, options, allowPositionals: true });
  if (values.help) return 'help';
  // As copied from a header.
  if (/^bearer$/i.test(positionals[0] ?? '')) positionals.shift();
  const [token, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError('only one token can be examined: put it in quotes');
  return {
    isForDevelopment: values.dev === true,
    isVerbose: values.verbose === true,
    token: token === undefined ? undefined : cleanToken(token),
  };
}

/** White space around a token comes from copying; inside, it is a fault that the page should show. */
export function cleanToken(text: string): string {
  return text
    .trim()
    .replace(/^authorization:\s*/i, '')
    .replace(/^bearer\s+/i, '');
}
