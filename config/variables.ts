/**
 * What can be set: one row for each environment variable. `src/config.ts` makes the configuration from it; `.env.example`
 * lists the same rows, and a test keeps them in step. `expected` completes the sentence "NAME is …, expected …".
 */
import {
  applicationId,
  flag,
  httpsUrl,
  list,
  lowerCaseAscii,
  number,
  oneOf,
  optional,
  origin,
  type Read,
  text,
  UnusableValueError,
} from './readers.ts';

export interface Variable<T = unknown> {
  name: string;
  /** The value if the variable is absent or empty; without a default, the server does not start. */
  default?: string;
  /** There is no default, but an empty value has a meaning. */
  mayBeEmpty?: true;
  expected: string;
  /** Never shown, not even in an error message. */
  secret?: true;
  read: Read<T>;
}

// An IPv6 address, an IPv4 address, or a name whose last label is not all digits.
const HOST =
  /^([0-9a-f:.]*:[0-9a-f:.]*|(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}|([a-z0-9-]+\.)*[a-z0-9-]*[a-z-][a-z0-9-]*\.?)$/i;
const TENANT = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*$/i;
// RFC 6749, section 3.3: the characters of a scope token.
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
const scope = { default: '', expected: 'one scope name without spaces', read: optional(text(SCOPE)) } as const;

/** For all tenants, and for everything else. */
export const generalVariables = {
  port: {
    name: 'PORT',
    default: '3000',
    expected: 'a TCP port from 0 to 65535 (0 picks a free one)',
    read: number({ min: 0, max: 65_535, integer: true }),
  },
  host: {
    name: 'HOST',
    default: '',
    expected: 'an address to listen on (empty: all interfaces)',
    read: optional(text(HOST)),
  },
  /** May hold a password: never log it. */
  mongodbUri: {
    name: 'MONGODB_URI',
    expected: 'mongodb://…, mongodb+srv://… or embedded:<directory>',
    secret: true,
    read: text(/^(mongodb(\+srv)?:\/\/\S+|embedded:.+)$/),
  },
  /** Seconds of clock difference tolerated in a token's times. */
  clockSkewSeconds: {
    name: 'B2C_CLOCK_SKEW',
    default: '300',
    expected: 'a whole number of seconds from 0 to 3600',
    read: number({ min: 0, max: 3600, integer: true }),
  },
  /** The scope that reading needs. */
  readScope: { name: 'B2C_READ_SCOPE', ...scope },
  /** The scope that writing needs. */
  writeScope: { name: 'B2C_WRITE_SCOPE', ...scope },
  /** The application with which readers of `/docs` sign in. */
  docsClientId: {
    name: 'DOCS_CLIENT_ID',
    default: '',
    expected: 'the application (client) id of a single-page application for /docs',
    read: optional(applicationId),
  },
  /** The scopes they ask for; if empty, those of the Application ID URI that the portal proposes. */
  docsScopes: {
    name: 'DOCS_SCOPES',
    default: '',
    expected: 'full scope names as the portal shows them, separated by commas',
    read: list(text(SCOPE)),
  },
  autoRegister: { name: 'AUTO_REGISTER', default: 'true', expected: 'true or false', read: flag },
  /** Requests that a bucket refills per second; 0 switches throttling off. */
  throttleRate: {
    name: 'THROTTLE_RATE',
    default: '5',
    expected: 'requests a second, a number from 0 (0: no limit)',
    read: number({ min: 0, max: 1e6 }),
  },
  /** Requests that a full bucket holds. */
  throttleBurst: {
    name: 'THROTTLE_BURST',
    default: '10',
    expected: 'a whole number of requests from 1',
    read: number({ min: 1, max: 1e6, integer: true }),
  },
  /** Our proxies in front of this server: the client is that entry of `X-Forwarded-For`, from the right. */
  trustProxy: {
    name: 'TRUST_PROXY',
    default: 'false',
    expected: 'the number of your own proxies in front, from 0 to 10 (true: 1, false: 0)',
    read: (value: string): number =>
      value === 'true' ? 1 : value === 'false' ? 0 : number({ min: 0, max: 10, integer: true })(value),
  },
  /** Allowed origins; `*` among them allows all. */
  corsOrigins: {
    name: 'CORS_ORIGINS',
    default: '*',
    expected: '* or origins as browsers send them (https://app.example.com, capacitor://localhost) separated by commas',
    read: list(origin),
  },
  logLevel: {
    name: 'LOG_LEVEL',
    default: 'info',
    expected: 'trace, debug, info, warn, error or fatal',
    read: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal'),
  },
} as const satisfies Record<string, Variable>;

/** The tenant of Azure AD B2C, or a plain OpenID issuer in its place. */
export const b2cVariables = {
  tenantName: {
    name: 'B2C_TENANT_NAME',
    expected: 'the tenant: contoso.onmicrosoft.com or contoso',
    read: text(TENANT, [
      [/\.b2clogin\.com$/i, "the host of the tenant's sign-in pages"],
      [/\.ciamlogin\.com$/i, 'a tenant of External ID: set EXTERNAL_ID_METADATA and EXTERNAL_ID_CLIENT_ID instead'],
      [/^login\.microsoftonline\.com$/i, 'the host of all sign-in pages'],
    ]),
  },
  policyNames: {
    name: 'B2C_POLICY_NAME',
    expected:
      'one policy or several separated by commas, each b2c_1_… or b2c_1a_… (empty only with B2C_IDENTITY_METADATA set)',
    mayBeEmpty: true,
    read: list((name) => lowerCaseAscii(text(/^b2c_1a?_[0-9a-z._-]+$/i)(name))),
  },
  clientId: {
    name: 'B2C_CLIENT_ID',
    expected: 'the application (client) id of this API',
    read: (value: string): string =>
      applicationId(text(/./, [[/:\/\//, 'the Application ID URI, which tokens do not carry']])(value)),
  },
  /** Accepted `aud` values; the client id if empty. */
  audiences: {
    name: 'B2C_AUDIENCE',
    default: '',
    expected: 'accepted aud values separated by commas',
    read: list(applicationId),
  },
  identityMetadata: {
    name: 'B2C_IDENTITY_METADATA',
    default: '',
    expected: "an https URL of the tenant's OpenID metadata ({policy} in it is replaced)",
    read: optional(httpsUrl),
  },
  /** Accepted `iss` values besides the metadata's own. */
  issuers: {
    name: 'B2C_ISSUER',
    default: '',
    expected: 'accepted iss values separated by commas',
    read: list(text(/^\S+$/, [[/[{}]/, 'a template, which no token carries']])),
  },
  validateIssuer: {
    name: 'B2C_VALIDATE_ISSUER',
    default: 'true',
    expected: 'true or false (false is refused when NODE_ENV=production)',
    read: flag,
  },
} as const satisfies Record<string, Variable>;

/** The tenant of Microsoft Entra External ID, beside that of B2C or alone. */
export const externalIdVariables = {
  metadataUrl: {
    name: 'EXTERNAL_ID_METADATA',
    default: '',
    expected:
      'an https URL of OpenID metadata: https://<tenant id>.ciamlogin.com/<tenant id>/v2.0/.well-known/openid-configuration',
    read: (value: string): string => {
      const { pathname } = new URL(httpsUrl(value));
      if (!pathname.endsWith('/.well-known/openid-configuration')) throw new UnusableValueError('not its metadata');
      return value;
    },
  },
  audiences: {
    name: 'EXTERNAL_ID_CLIENT_ID',
    default: '',
    expected: 'the application (client) id of this API in External ID, or several separated by commas',
    read: list(applicationId),
  },
  /** The claim in which a migration left the user's B2C object id. */
  ownerClaim: {
    name: 'EXTERNAL_ID_OWNER_CLAIM',
    default: '',
    expected: 'the name of one claim, such as extension_<app id>_B2CObjectId',
    read: optional(text(/^[^\s,]{1,256}$/)),
  },
} as const satisfies Record<string, Variable>;

/** All rows, in the order in which problems are reported. */
export const variables: readonly Variable[] = [generalVariables, b2cVariables, externalIdVariables].flatMap((rows) =>
  Object.values<Variable>(rows),
);
