/**
 * What can be set: one row per environment variable. `.env.example` and the README list the same rows, and a test
 * holds them together. `expected` completes the sentence "NAME is …, expected …".
 */
export interface Variable {
  name: string;
  /** The value when the variable is absent or empty; none means that the start stops without it. */
  default?: string;
  expected: string;
  /** Never shown, not even in an error message. */
  secret?: true;
}

export const variables = {
  port: { name: 'PORT', default: '3000', expected: 'a TCP port from 0 to 65535 (0 picks a free one)' },
  host: { name: 'HOST', default: '', expected: 'an address to listen on (empty: all interfaces)' },
  mongodbUri: {
    name: 'MONGODB_URI',
    expected: 'mongodb://…, mongodb+srv://… or embedded:<directory>',
    secret: true,
  },
  tenantName: { name: 'B2C_TENANT_NAME', expected: 'the tenant: contoso.onmicrosoft.com or contoso' },
  policyNames: {
    name: 'B2C_POLICY_NAME',
    expected:
      'one policy or several separated by commas, each b2c_1_… or b2c_1a_… (empty only with B2C_IDENTITY_METADATA set)',
  },
  clientId: { name: 'B2C_CLIENT_ID', expected: 'the application (client) id of this API' },
  audience: { name: 'B2C_AUDIENCE', default: '', expected: 'accepted aud values separated by commas' },
  identityMetadata: {
    name: 'B2C_IDENTITY_METADATA',
    default: '',
    expected: "an https URL of the tenant's OpenID metadata, in which {policy} is replaced",
  },
  issuer: { name: 'B2C_ISSUER', default: '', expected: 'accepted iss values separated by commas' },
  validateIssuer: {
    name: 'B2C_VALIDATE_ISSUER',
    default: 'true',
    expected: 'true or false (false is refused when NODE_ENV=production)',
  },
  clockSkewSeconds: { name: 'B2C_CLOCK_SKEW', default: '300', expected: 'a whole number of seconds from 0 to 3600' },
  readScope: { name: 'B2C_READ_SCOPE', default: '', expected: 'one scope name without spaces' },
  writeScope: { name: 'B2C_WRITE_SCOPE', default: '', expected: 'one scope name without spaces' },
  autoRegister: { name: 'AUTO_REGISTER', default: 'true', expected: 'true or false' },
  throttleRate: { name: 'THROTTLE_RATE', default: '5', expected: 'requests a second, a number from 0 (0: no limit)' },
  throttleBurst: { name: 'THROTTLE_BURST', default: '10', expected: 'a whole number of requests from 1' },
  trustProxy: {
    name: 'TRUST_PROXY',
    default: 'false',
    expected: 'the number of proxies of yours in front, from 0 to 10 (true: 1, false: 0)',
  },
  corsOrigins: {
    name: 'CORS_ORIGINS',
    default: '*',
    expected: '* or origins (https://app.example.com) separated by commas',
  },
  logLevel: { name: 'LOG_LEVEL', default: 'info', expected: 'trace, debug, info, warn, error or fatal' },
} as const satisfies Record<string, Variable>;
