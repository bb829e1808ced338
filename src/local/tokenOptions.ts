import { readCommandLine, UsageError } from '../commandLine.ts';
import { b2c, externalId } from './tenant/authority.ts';
import { DEFAULT_SCOPE, DEFAULT_USER, LIFETIME_SECONDS, POLICIES, type User, userNamed } from './tenant/identity.ts';
import type { TokenWishes } from './tenant/tokens.ts';

export const USAGE = `Usage: npm run -s token -- [options]

Prints an access token of the development tenant, alone on stdout.

  --oid <id>              the user's object id: any text (default: that of "${DEFAULT_USER.name}", or of --name)
  --name <name>           the user's name (default: "${DEFAULT_USER.name}", or the text of --oid)
  --scope <scopes>        scp, separated by spaces; '' for none (default: "${DEFAULT_SCOPE}")
  --policy <policy>       tfp (default: ${POLICIES[0]}; in development the API accepts
                          ${POLICIES.slice(0, 3).join(', ')},
                          ${POLICIES.slice(3).join(', ')})
  --expires-in <seconds>  from now; negative for an expired token (default: ${LIFETIME_SECONDS})
  --external              a token of Entra External ID instead of Azure AD B2C; it has no policy
  --b2c-oid <id>          with --external: the user's object id in B2C, in the claim where a migration leaves it
  --help                  this text

  TOKEN=$(npm run -s token)
  ALICE=$(npm run -s token -- --oid alice --expires-in 86400)
  MOVED=$(npm run -s token -- --external --oid new-alice --b2c-oid alice)
  curl -w '\\n' http://127.0.0.1:3000/api/tasks -H "Authorization: Bearer $ALICE"

The tenant's page, whose address \`npm run dev\` prints, has more to paste.
`;

// A century: what does not fit into a date is refused here rather than by the token's reader.
const MAX_LIFETIME_SECONDS = 100 * 365 * 24 * 3600;

/** @throws {UsageError} for an unknown option or an invalid value. */
export function parseTokenOptions(args: readonly string[]): TokenWishes | 'help' {
  const values = readArguments(args);
  if (values.help) return 'help';
  const policy = nonEmpty('--policy', values.policy);
  const b2cOid = nonEmpty('--b2c-oid', values['b2c-oid']);
  const isExternal = values.external === true;
  if (isExternal && policy !== undefined) throw new UsageError('Use either --policy or --external, not both.');
  if (!isExternal && b2cOid !== undefined) throw new UsageError('--b2c-oid only goes with --external.');
  const authority = isExternal ? externalId : b2c(policy ?? POLICIES[0]);
  return {
    user: chooseUser(nonEmpty('--oid', values.oid), nonEmpty('--name', values.name), authority.tenantId),
    authority,
    scope: (values.scope ?? DEFAULT_SCOPE).trim().replace(/\s+/g, ' '),
    expiresIn: values['expires-in'] === undefined ? LIFETIME_SECONDS : seconds(values['expires-in']),
    b2cOid,
  };
}

function readArguments(args: readonly string[]) {
  return readCommandLine({
    args: joinNegativeNumbers(args),
    options: {
      oid: { type: 'string' },
      name: { type: 'string' },
      scope: { type: 'string' },
      policy: { type: 'string' },
      'expires-in': { type: 'string' },
      external: { type: 'boolean' },
      'b2c-oid': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  }).values;
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

/** A name alone means that user of the sign-in page; an object id alone is also the name. */
function chooseUser(oid: string | undefined, name: string | undefined, tenantId: string): User {
  if (oid === undefined) return userNamed(name ?? DEFAULT_USER.name, tenantId);
  return { oid, name: name ?? oid };
}

function nonEmpty(option: string, value: string | undefined): string | undefined {
  if (value?.trim() === '') throw new UsageError(`${option} must not be empty.`);
  return value;
}

function seconds(value: string): number {
  const number = Number(value);
  const isGood = /^-?\d{1,12}$/.test(value) && Math.abs(number) <= MAX_LIFETIME_SECONDS;
  if (isGood) return number;
  throw new UsageError(`--expires-in is "${value}", expected a whole number of seconds such as 3600 or -60.`);
}
