import { UnusableValueError } from '../config/readers.ts';
import { b2cVariables, externalIdVariables, generalVariables, type Variable, variables } from '../config/variables.ts';
import { isGuid } from './guid.ts';
import { shortened, visible } from './show.ts';

/** A policy whose tokens are accepted, with the metadata that its keys come from. */
export interface Policy {
  /** In lower case; empty where no policy is checked: for a plain OpenID issuer, and for External ID. */
  readonly name: string;
  /** What logs, metrics and probes call it. */
  readonly label: string;
  /** https URL of the OpenID metadata. */
  readonly metadataUrl: string;
}

/** A tenant whose tokens are accepted, and what they must contain. Each token is judged by only one tenant. */
export interface Tenant {
  readonly kind: 'b2c' | 'external-id';
  /** B2C's own, such as `contoso.onmicrosoft.com`; undefined for any other issuer. */
  readonly domain: string | undefined;
  /** At least one. */
  readonly policies: readonly Policy[];
  /** Accepted `aud` values; at least one. */
  readonly audiences: readonly string[];
  /** Accepted `iss` values besides the metadata's own. */
  readonly issuers: readonly string[];
  readonly validateIssuer: boolean;
  /** The claim that names the owner, if a token has it. */
  readonly ownerClaim: string | undefined;
}

type Rows = Readonly<Record<string, Variable>>;
/** The values that rows read to. */
type ValuesOf<R extends Rows> = { readonly [K in keyof R]: ReturnType<R[K]['read']> };

/** Everything that can be set, checked and typed; `config/variables.ts` says what each member is. Frozen. */
export interface Config extends ValuesOf<typeof generalVariables> {
  /** At least one. */
  readonly tenants: readonly Tenant[];
  readonly isProduction: boolean;
}

export type LogLevel = Config['logLevel'];

type Environment = Readonly<Record<string, string | undefined>>;

/** Lists every bad variable with its value and what is expected. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the configuration cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Turns the environment into a typed, frozen configuration.
 *
 * @param uriProblem says what the driver finds wrong with a well-formed URI
 * @throws {ConfigError} with every problem at once.
 */
export function loadConfig(env: Environment, uriProblem?: (uri: string) => string | undefined): Config {
  const reader = new Reader(env);
  const isProduction = env['NODE_ENV'] === 'production';
  const general = reader.readAll(generalVariables);
  const external = isAnySet(reader, externalIdVariables) ? reader.readAll(externalIdVariables) : undefined;
  // Half a tenant beside a whole one is a slip: report what is missing rather than ignore the half.
  const isB2cMeant = external === undefined || isAnySet(reader, b2cVariables);
  const b2c = isB2cMeant ? reader.readAll(b2cVariables) : undefined;
  if (b2c !== undefined) checkB2c(reader, isProduction);
  if (external !== undefined) checkExternalId(reader);
  const problem = (general.mongodbUri as string | undefined) && uriProblem?.(general.mongodbUri);
  if (problem) reader.refuse(generalVariables.mongodbUri, `not usable (${problem})`);
  reader.throwProblems();
  const tenants = [
    ...(b2c === undefined ? [] : [b2cTenant(b2c)]),
    ...(external === undefined ? [] : [externalIdTenant(external)]),
  ];
  return Object.freeze({ ...general, tenants, isProduction });
}

function isAnySet(reader: Reader, rows: Rows): boolean {
  return Object.values(rows).some((row) => reader.isSet(row));
}

function checkB2c(reader: Reader, isProduction: boolean): void {
  const { validateIssuer, policyNames, identityMetadata, tenantName } = b2cVariables;
  if (isProduction && reader.raw(validateIssuer) === 'false') reader.refuse(validateIssuer, '"false"');
  const metadata = reader.raw(identityMetadata);
  if (metadata === '' && isGuid(reader.raw(tenantName))) reader.refuse(tenantName, 'the directory (tenant) id');
  // Only an explicit empty value means "no policy"; a variable that is absent was more likely forgotten.
  if (reader.isEmptied(policyNames)) {
    if (metadata === '') reader.refuse(policyNames, 'not set');
    else if (metadata.includes('{policy}')) reader.refuse(policyNames, '""');
  }
}

function checkExternalId(reader: Reader): void {
  const { metadataUrl, audiences, ownerClaim } = externalIdVariables;
  const other = [audiences, ownerClaim].find((row) => reader.isSet(row));
  if (!reader.isSet(metadataUrl)) reader.refuse(metadataUrl, `not set, although ${other?.name} is set`);
  if (!reader.isSet(audiences)) reader.refuse(audiences, 'not set');
}

function b2cTenant(values: ValuesOf<typeof b2cVariables>): Tenant {
  const { tenantName, policyNames, identityMetadata, audiences, clientId, issuers, validateIssuer } = values;
  const [name, ...domain] = tenantName.split('.');
  const tenant = domain.length > 0 ? tenantName : `${tenantName}.onmicrosoft.com`;
  // What B2C gives a tenant without a custom domain.
  const usual = `https://${name}.b2clogin.com/${tenant}/{policy}/v2.0/.well-known/openid-configuration`;
  const template = identityMetadata ?? usual;
  return {
    kind: 'b2c',
    domain: policyNames.length === 0 ? undefined : tenant,
    policies:
      policyNames.length === 0
        ? [{ name: '', label: 'openid', metadataUrl: template }]
        : policyNames.map((name) => ({ name, label: name, metadataUrl: metadataUrl(template, name) })),
    audiences: audiences.length > 0 ? audiences : [clientId],
    issuers,
    validateIssuer,
    ownerClaim: undefined,
  };
}

function metadataUrl(template: string, policy: string): string {
  if (template.includes('{policy}')) return template.replaceAll('{policy}', policy);
  const url = new URL(template);
  url.searchParams.set('p', policy);
  return url.href;
}

function externalIdTenant({ metadataUrl, audiences, ownerClaim }: ValuesOf<typeof externalIdVariables>): Tenant {
  const policies = [{ name: '', label: 'external-id', metadataUrl }];
  return { kind: 'external-id', domain: undefined, policies, audiences, issuers: [], validateIssuer: true, ownerClaim };
}

// Left over when `docker --env-file` reads what a shell would have unquoted, or an example was half filled in.
const LEFTOVERS: readonly (readonly [form: RegExp, what: string])[] = [
  [/^["'“”‘’]|["'“”‘’]$/, 'still in quotes'],
  [/<[^<>]*>/, 'still with angle brackets'],
];

/** Reads rows, and collects their problems. */
class Reader {
  readonly #env: Environment;
  readonly #problems = new Map<string, string>();

  constructor(env: Environment) {
    this.#env = env;
  }

  /** @throws {ConfigError} when there are any, in the order of the rows. */
  throwProblems(): void {
    const problems = variables.flatMap(({ name }) => this.#problems.get(name) ?? []);
    if (problems.length > 0) throw new ConfigError(problems);
  }

  /** The trimmed text, or the default, or ''; an empty text counts as absent. */
  raw(row: Variable): string {
    return this.#env[row.name]?.trim() || (row.default ?? '');
  }

  /** Whether it is set to anything but the default. */
  isSet(row: Variable): boolean {
    return this.raw(row) !== (row.default ?? '');
  }

  isEmptied({ name }: Variable): boolean {
    return this.#env[name]?.trim() === '';
  }

  refuse({ name, expected }: Variable, what: string): void {
    this.#problems.set(name, `${name} is ${what}, expected ${expected}`);
  }

  /** Complete only if nothing was refused: check the problems before the values. */
  readAll<R extends Rows>(rows: R): ValuesOf<R> {
    const values = Object.entries(rows).map(([member, row]) => [member, this.#read(row)] as const);
    return Object.fromEntries(values) as ValuesOf<R>;
  }

  #read(row: Variable): unknown {
    const text = this.raw(row);
    if (text === '' && row.default === undefined && !(row.mayBeEmpty && this.isEmptied(row))) {
      this.refuse(row, 'not set');
      return undefined;
    }
    try {
      const leftover = LEFTOVERS.find(([form]) => form.test(text));
      if (leftover !== undefined) throw new UnusableValueError(leftover[1]);
      return row.read(text);
    } catch (error) {
      if (!(error instanceof UnusableValueError)) throw error;
      this.refuse(row, describe(row, text, error));
      return undefined;
    }
  }
}

/** The variable's value, unless it is a secret or may be one by mistake. */
function describe({ secret }: Variable, text: string, { message, isSecret }: UnusableValueError): string {
  const why = message === '' ? '' : ` (${message})`;
  if (secret === true || isSecret) return `malformed${why}`;
  // Without the user and password of a URL.
  return `"${shortened(visible(text.replace(/\/\/[^/]*@/g, '//…@')))}"${why}`;
}
