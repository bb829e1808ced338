import { variables, type Variable } from '../config/variables.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** One policy whose tokens are accepted, with the metadata that its keys come from. */
export interface Policy {
  /** In lower case; empty for a plain OpenID issuer, where no policy is checked. */
  readonly name: string;
  /** https URL of the OpenID metadata. */
  readonly metadataUrl: string;
}

/** Everything that can be set, checked and typed. Frozen: nothing changes while the process runs. */
export interface Config {
  /** TCP port; 0 picks a free one. */
  readonly port: number;
  /** Address to listen on; absent means all interfaces. */
  readonly host: string | undefined;
  /** `mongodb://…`, `mongodb+srv://…` or `embedded:<directory>`. May hold a password: never log it. */
  readonly mongodbUri: string;
  readonly tenantName: string;
  readonly clientId: string;
  /** At least one. */
  readonly policies: readonly Policy[];
  /** Accepted `aud` values. */
  readonly audiences: readonly string[];
  /** Accepted `iss` values besides the metadata's own. */
  readonly issuers: readonly string[];
  readonly validateIssuer: boolean;
  /** Seconds of clock difference tolerated in `exp` and `nbf`. An integer from 0; default 300. */
  readonly clockSkewSeconds: number;
  /** The scope that reading needs; absent means none. */
  readonly readScope: string | undefined;
  /** The scope that writing needs; absent means none. */
  readonly writeScope: string | undefined;
  readonly autoRegister: boolean;
  /** Requests that a bucket regains each second; 0 switches throttling off. */
  readonly throttleRate: number;
  /** Requests that a full bucket holds. */
  readonly throttleBurst: number;
  /** Proxies of ours in front of this server: which entry of `X-Forwarded-For`, from the right, is the client. 0: none. */
  readonly trustProxy: number;
  /** Allowed origins; `['*']` allows all. */
  readonly corsOrigins: readonly string[];
  readonly logLevel: LogLevel;
  readonly isProduction: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Lists every bad variable with what it holds and what is expected. */
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
 * @param uriProblem tells what the driver finds wrong with a URI of the right form
 * @throws {ConfigError} with every problem at once.
 */
export function loadConfig(env: Environment, uriProblem?: (uri: string) => string | undefined): Config {
  const read = new Reader(env);
  const isProduction = env['NODE_ENV'] === 'production';
  const config: Config = {
    port: read.number(variables.port, { min: 0, max: 65_535, integer: true }),
    host: read.optional(variables.host, HOST),
    mongodbUri: readMongodbUri(read, uriProblem),
    tenantName: read.text(variables.tenantName, TENANT),
    policies: readPolicies(read, env),
    clientId: read.text(variables.clientId, /^\S+$/),
    audiences: read.list(variables.audience, /^\S+$/, [read.raw(variables.clientId) ?? '']),
    issuers: read.list(variables.issuer, /^\S+$/, []),
    validateIssuer: readValidateIssuer(read, isProduction),
    clockSkewSeconds: read.number(variables.clockSkewSeconds, { min: 0, max: 3600, integer: true }),
    readScope: read.optional(variables.readScope, SCOPE),
    writeScope: read.optional(variables.writeScope, SCOPE),
    autoRegister: read.boolean(variables.autoRegister),
    throttleRate: read.number(variables.throttleRate, { min: 0, max: 1e6 }),
    throttleBurst: read.number(variables.throttleBurst, { min: 1, max: 1e6, integer: true }),
    trustProxy: readTrustProxy(read),
    corsOrigins: readOrigins(read),
    logLevel: read.text(variables.logLevel, /^(trace|debug|info|warn|error|fatal)$/) as LogLevel,
    isProduction,
  };
  if (read.problems.length > 0) throw new ConfigError(read.problems);
  return Object.freeze(config);
}

// An IPv6 address, an IPv4 address, or a name, whose last label is never all digits.
const HOST =
  /^([0-9a-f:.]*:[0-9a-f:.]*|(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}|([a-z0-9-]+\.)*[a-z0-9-]*[a-z-][a-z0-9-]*\.?)$/i;
const MONGODB_URI = /^(mongodb(\+srv)?:\/\/\S+|embedded:.+)$/;
const TENANT = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*$/i;
const POLICY = /^b2c_1a?_[0-9a-z._-]+$/i;
// RFC 6749, section 3.3: the characters of a scope token.
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
const MAX_SHOWN = 200;

class Reader {
  readonly problems: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** The trimmed value, or the default; an empty value counts as absent. */
  raw(variable: Variable): string | undefined {
    return this.#env[variable.name]?.trim() || variable.default;
  }

  refuse(variable: Variable, value: string | undefined): void {
    const holds = value === undefined ? 'not set' : variable.secret ? 'not of that form' : `"${shown(value)}"`;
    this.problems.push(`${variable.name} is ${holds}, expected ${variable.expected}`);
  }

  text(variable: Variable, form: RegExp): string {
    const value = this.raw(variable);
    if (value === undefined || !form.test(value)) this.refuse(variable, value);
    return value ?? '';
  }

  optional(variable: Variable, form: RegExp): string | undefined {
    const value = this.raw(variable);
    return value === undefined || value === '' ? undefined : this.text(variable, form);
  }

  list(variable: Variable, form: RegExp, absent: string[]): string[] {
    const value = this.raw(variable);
    if (value === undefined || value === '') return absent;
    const items = value.split(',').map((item) => item.trim());
    if (!items.every((item) => form.test(item))) this.refuse(variable, value);
    return [...new Set(items)];
  }

  boolean(variable: Variable): boolean {
    return this.text(variable, /^(true|false)$/) === 'true';
  }

  number(variable: Variable, { min, max, integer = false }: { min: number; max: number; integer?: boolean }): number {
    const value = this.raw(variable) ?? '';
    const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
    const isGood = number >= min && number <= max && (!integer || Number.isInteger(number));
    if (!isGood) this.refuse(variable, value);
    return number;
  }
}

/** Short enough to read, and without the user and password of a URL. */
function shown(value: string): string {
  const text = value.replace(/\/\/[^/]*@/g, '//…@');
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

function readMongodbUri(read: Reader, uriProblem: (uri: string) => string | undefined = () => undefined): string {
  const { name, expected } = variables.mongodbUri;
  const uri = read.text(variables.mongodbUri, MONGODB_URI);
  const problem = MONGODB_URI.test(uri) ? uriProblem(uri) : undefined;
  if (problem !== undefined) read.problems.push(`${name} is not usable (${problem}), expected ${expected}`);
  return uri;
}

function readValidateIssuer(read: Reader, isProduction: boolean): boolean {
  const value = read.boolean(variables.validateIssuer);
  if (!value && isProduction && read.raw(variables.validateIssuer) === 'false') {
    read.refuse(variables.validateIssuer, 'false');
  }
  return value;
}

/** `true` and `false` are what it was before it counted. */
function readTrustProxy(read: Reader): number {
  const value = read.text(variables.trustProxy, /^(true|false|\d|10)$/);
  return value === 'true' ? 1 : value === 'false' ? 0 : Number(value);
}

function readPolicies(read: Reader, env: Environment): Policy[] {
  const metadata = readMetadata(read);
  // Only an explicit empty value means "no policy"; a variable that is absent was more likely forgotten.
  if (env[variables.policyNames.name]?.trim() === '' && metadata !== undefined) {
    if (metadata.includes('{policy}')) read.refuse(variables.policyNames, '');
    return [{ name: '', metadataUrl: metadata }];
  }
  const names = read.list(variables.policyNames, POLICY, []).map((name) => lowerCaseAscii(name));
  if (read.raw(variables.policyNames) === undefined) read.refuse(variables.policyNames, undefined);
  const template = metadata ?? defaultMetadata(read.raw(variables.tenantName) ?? '');
  return [...new Set(names)].map((name) => ({ name, metadataUrl: metadataUrl(template, name) }));
}

function readMetadata(read: Reader): string | undefined {
  const value = read.raw(variables.identityMetadata);
  if (value === undefined || value === '') return undefined;
  const url = URL.parse(value.replaceAll('{policy}', 'policy'));
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    read.refuse(variables.identityMetadata, value);
  }
  return value;
}

/** The metadata URL that B2C gives a tenant without a custom domain. */
function defaultMetadata(tenantName: string): string {
  const tenant = tenantName.includes('.') ? tenantName : `${tenantName}.onmicrosoft.com`;
  const name = tenantName.split('.')[0];
  return `https://${name}.b2clogin.com/${tenant}/{policy}/v2.0/.well-known/openid-configuration`;
}

function metadataUrl(template: string, policy: string): string {
  if (template.includes('{policy}')) return template.replaceAll('{policy}', policy);
  const url = URL.parse(template);
  if (url === null) return template;
  url.searchParams.set('p', policy);
  return url.href;
}

function readOrigins(read: Reader): string[] {
  const origins = read.list(variables.corsOrigins, /^(\*|https?:\/\/[^/\s]+)$/, ['*']);
  return origins.includes('*') ? ['*'] : origins;
}

/** `toLowerCase` would also fold letters such as the Kelvin sign into ASCII ones. */
export function lowerCaseAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
