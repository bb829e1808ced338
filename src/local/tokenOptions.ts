import { parseArgs } from 'node:util';
import type { TokenWishes } from './tenant/accessToken.ts';
import { systemCode, UsageError } from './errors.ts';
import { DEFAULT_SCOPE, DEFAULT_USER, LIFETIME_SECONDS, POLICIES, userNamed, type User } from './tenant/identity.ts';

export const USAGE = `Usage: npm run -s token -- [options]

Prints an access token of the development tenant, alone on stdout.

  --oid <id>              whose tasks: any text (default: "${DEFAULT_USER.name}"'s, or that of --name)
  --name <name>           the user's name (default: "${DEFAULT_USER.name}", or the text of --oid)
  --scope <scopes>        scp, separated by spaces; '' for none (default: "${DEFAULT_SCOPE}")
  --policy <policy>       tfp (default: ${POLICIES[0]}; the API in development accepts
                          ${POLICIES.join(', ')})
  --expires-in <seconds>  from now; negative for one that has expired (default: ${LIFETIME_SECONDS})
  --help                  this text

  TOKEN=$(npm run -s token)
  ALICE=$(npm run -s token -- --oid alice --expires-in 86400)
`;

// A century: what does not fit into a date is refused here rather than by whoever reads the token.
const MAX_LIFETIME_SECONDS = 100 * 365 * 24 * 3600;

/** @throws {UsageError} for what is not an option, or a value that it cannot have. */
export function parseTokenOptions(args: readonly string[]): TokenWishes | 'help' {
  const values = readArguments(args);
  if (values.help) return 'help';
  return {
    user: chooseUser(nonEmpty('--oid', values.oid), nonEmpty('--name', values.name)),
    policy: nonEmpty('--policy', values.policy) ?? POLICIES[0],
    scope: (values.scope ?? DEFAULT_SCOPE).trim().replace(/\s+/g, ' '),
    expiresIn: values['expires-in'] === undefined ? LIFETIME_SECONDS : seconds(values['expires-in']),
  };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: joinNegativeNumbers(args),
      options: {
        oid: { type: 'string' },
        name: { type: 'string' },
        scope: { type: 'string' },
        policy: { type: 'string' },
        'expires-in': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    if (systemCode(error)?.startsWith('ERR_PARSE_ARGS') !== true) throw error;
    throw refused((error as Error).message);
  }
}

/** `--expires-in -60` means what it says, although parseArgs takes `-60` for an option. */
function joinNegativeNumbers(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const isNumber = joined.at(-1) === '--expires-in' && /^-\d/.test(arg);
    if (isNumber) joined.splice(-1, 1, `--expires-in=${arg}`);
    else joined.push(arg);
  }
  return joined;
}

/** A name alone is that user of the sign-in page; an object id alone is its own name. */
function chooseUser(oid: string | undefined, name: string | undefined): User {
  if (oid === undefined) return name === undefined ? DEFAULT_USER : userNamed(name);
  return { oid, name: name ?? oid };
}

function nonEmpty(option: string, value: string | undefined): string | undefined {
  if (value?.trim() === '') throw refused(`${option} must not be empty.`);
  return value;
}

function seconds(value: string): number {
  const number = Number(value);
  const isGood = /^-?\d{1,12}$/.test(value) && Math.abs(number) <= MAX_LIFETIME_SECONDS;
  if (!isGood) throw refused(`--expires-in is "${value}", expected a whole number of seconds such as 3600 or -60.`);
  return number;
}

function refused(reason: string): UsageError {
  return new UsageError(`${reason}\n\n${USAGE}`);
}
