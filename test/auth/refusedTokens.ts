/** Tokens that must be refused, each one change away from an accepted one. */
import { createHmac, sign } from 'node:crypto';
import { publicJwk, signingKey, signText, type Tenant, type TokenChanges } from '../support/tenant.ts';

const NOT_A_JWT = 'the token is not a well-formed signed JWT';
const NO_NUMBERS = 'the exp and nbf claims of the token must be numbers';
const NO_OID = "the token has no oid claim: add Object ID to the policy's application claims";
const ODD_OID = 'the oid claim of the token must be a non-empty string';
const OTHER_POLICY = 'the token is from a policy that is not accepted here';
const OTHER_AUDIENCE = 'the token is for another audience';
const BAD_SIGNATURE = 'the signature of the token does not verify';
const NOT_RS256 = 'the token is not signed with RS256';
const APP_ONLY = 'the token was issued to an application, not to a user: sign a user in and send their token';
const LONG_LIFE = 'the token is valid for more than 24 hours';
const OTHER_TYPE = 'the token is not an access token';
const CRITICAL = 'the token uses a critical header extension that is not supported';
const NO_KID = 'the token does not say which key signed it: its header has no kid';

// When this file is loaded; the tests may come to a row minutes later.
const now = Math.floor(Date.now() / 1000);
const stranger = () => signingKey('stranger');

type Row = [reason: string, description: string, change: TokenChanges | ((tenant: Tenant) => string)];

export const refused: Record<string, Row> = {
  'has expired beyond the tolerance': ['expired', 'the token has expired', { expiresIn: -301 }],
  'is not valid yet, beyond the tolerance': ['not_yet_valid', 'the token is not valid yet', { nbf: now + 40_000 }],
  'was issued in the future': ['not_yet_valid', 'the token was issued in the future', { iat: now + 40_000 }],
  'lives for more than a day': ['lifetime', LONG_LIFE, { expiresIn: 24 * 3600 + 310 }],
  'lives for more than a day since nbf': ['lifetime', LONG_LIFE, { nbf: now - 23 * 3600, expiresIn: 2 * 3600 }],
  'lives for more than a day since iat': ['lifetime', LONG_LIFE, { iat: now - 23 * 3600, expiresIn: 2 * 3600 }],
  'lives for more than a day from now': ['lifetime', LONG_LIFE, { nbf: now + 200, iat: now + 200, expiresIn: 86_800 }],
  'lives for ever': ['lifetime', LONG_LIFE, { exp: 1e308 }],
  'was issued before all time': ['lifetime', LONG_LIFE, { iat: -1e308 }],
  'expires at infinity': ['malformed', NO_NUMBERS, (tenant) => withPayload(tenant, '"exp":1e999')],
  'has no exp': ['malformed', NO_NUMBERS, { exp: undefined }],
  'has an exp in text': ['malformed', NO_NUMBERS, { exp: String(now + 3600) }],
  'has an exp that is null': ['malformed', NO_NUMBERS, { exp: null }],
  'has an exp that cannot be made a text': ['malformed', NO_NUMBERS, { exp: [{ toString: null, valueOf: null }] }],
  'has an nbf that cannot be made a text': ['malformed', NO_NUMBERS, { nbf: [{ toString: null, valueOf: null }] }],
  'has an exp in a list': ['malformed', NO_NUMBERS, { exp: [now + 3600] }],
  'has no nbf': ['malformed', NO_NUMBERS, { nbf: undefined }],
  'has an nbf in text': ['malformed', NO_NUMBERS, { nbf: String(now) }],

  'is for another audience': ['audience', OTHER_AUDIENCE, { aud: 'another-api' }],
  'is for the audience with spn: before it': [
    'audience',
    OTHER_AUDIENCE,
    (tenant) => issueFor(tenant, (id) => `spn:${id}`),
  ],
  'is for an audience that only begins alike': [
    'audience',
    OTHER_AUDIENCE,
    (tenant) => issueFor(tenant, (id) => `${id}0`),
  ],
  'is for a list of other audiences': ['audience', OTHER_AUDIENCE, { aud: ['another-api', 'a-third'] }],
  'is for an empty list of audiences': ['audience', OTHER_AUDIENCE, { aud: [] }],
  'is for a list with odd members': ['audience', OTHER_AUDIENCE, (tenant) => issueFor(tenant, (id) => [id, 7])],
  'is for a nested audience': ['audience', OTHER_AUDIENCE, (tenant) => issueFor(tenant, (id) => [[id]])],
  'is for an object': ['audience', OTHER_AUDIENCE, (tenant) => issueFor(tenant, (id) => ({ 0: id, length: 1 }))],
  'has no audience': ['audience', OTHER_AUDIENCE, { aud: undefined }],

  'is from another issuer': [
    'issuer',
    'the token is from another issuer',
    { iss: 'https://login.microsoftonline.com/x/v2.0/' },
  ],
  'lacks the last slash of its issuer': [
    'issuer',
    'the token is from another issuer',
    (tenant) => tenant.issueToken({ iss: tenant.issuer.slice(0, -1) }),
  ],
  'has its issuer in a list': [
    'issuer',
    'the token is from another issuer',
    (tenant) => tenant.issueToken({ iss: [tenant.issuer] }),
  ],
  'has no issuer': ['issuer', 'the token is from another issuer', { iss: undefined }],

  'is from another policy': ['policy', OTHER_POLICY, { tfp: 'b2c_1_password_reset' }],
  'is from a policy that only begins alike': ['policy', OTHER_POLICY, { tfp: 'b2c_1_susi2' }],
  'has a policy with a letter that only folds to ASCII': ['policy', OTHER_POLICY, { tfp: 'b2c_1_\u017fusi' }],
  'was issued to an application': ['app_only', APP_ONLY, { tfp: undefined, scp: undefined, roles: ['tasks.all'] }],
  'was issued to an application, and says so': ['app_only', APP_ONLY, { idtyp: 'app' }],
  'has no policy': ['policy', OTHER_POLICY, { tfp: undefined }],
  'has a policy in a list': ['policy', OTHER_POLICY, { tfp: ['b2c_1_susi'] }],
  'has an odd tfp beside a good acr': ['policy', OTHER_POLICY, { tfp: null, acr: 'b2c_1_susi' }],
  'has another tfp beside a good acr': ['policy', OTHER_POLICY, { tfp: 'b2c_1_other', acr: 'b2c_1_susi' }],

  'has no oid': ['no_oid', NO_OID, { oid: undefined }],
  'has an empty oid': ['no_oid', ODD_OID, { oid: '' }],
  'has a blank oid': ['no_oid', ODD_OID, { oid: '  ' }],
  'has an oid that is null': ['no_oid', ODD_OID, { oid: null }],
  'has an operator for an oid': ['no_oid', ODD_OID, { oid: { $gt: '' } }],
  'has an oid in a list': ['no_oid', ODD_OID, { oid: ['alice'] }],
  'has a number for an oid': ['no_oid', ODD_OID, { oid: 7 }],
  'has a boolean for an oid': ['no_oid', ODD_OID, { oid: true }],
  'has an endless oid': ['no_oid', ODD_OID, { oid: 'a'.repeat(257) }],
  'has an oid that no store keeps as it is': ['no_oid', ODD_OID, { oid: 'alice\uD800' }],
  'has a NUL in its oid': ['no_oid', ODD_OID, { oid: 'alice\0' }],

  'is not signed': ['algorithm', NOT_RS256, (tenant) => unsigned(tenant)],
  'says none, and is signed': ['algorithm', NOT_RS256, { header: { alg: 'none' } }],
  'says RS256 in small letters': ['algorithm', NOT_RS256, { header: { alg: 'rs256' } }],
  'names no algorithm': ['algorithm', NOT_RS256, { header: { alg: undefined } }],
  'names its algorithm in a list': ['algorithm', NOT_RS256, { header: { alg: ['RS256'] } }],
  'says PS256': ['algorithm', NOT_RS256, { header: { alg: 'PS256' } }],
  'is signed with RS512 by the right key': [
    'algorithm',
    NOT_RS256,
    (tenant) => signedWith(tenant, 'RS512', 'RSA-SHA512'),
  ],
  'is an HMAC made with the public key': ['algorithm', NOT_RS256, (tenant) => hmacWithPublicKey(tenant)],

  'names a critical extension': ['critical', CRITICAL, { header: { crit: ['exp'], exp: now + 3600 } }],
  'names the extension b64': ['critical', CRITICAL, { header: { crit: ['b64'], b64: true } }],
  'has an empty crit': ['critical', CRITICAL, { header: { crit: [] } }],
  'has a crit that is null': ['critical', CRITICAL, { header: { crit: null } }],
  'is a logout token': ['type', OTHER_TYPE, { header: { typ: 'logout+jwt' } }],
  'has a number for a type': ['type', OTHER_TYPE, { header: { typ: 7 } }],
  'has a type that is null': ['type', OTHER_TYPE, { header: { typ: null } }],
  'names no key': ['no_kid', NO_KID, { header: { kid: undefined } }],
  'has a number for a key id': ['no_kid', NO_KID, { header: { kid: 7 } }],
  'has a key id that cannot be made a text': ['no_kid', NO_KID, { header: { kid: { toString: null } } }],
  'has an empty key id': ['no_kid', NO_KID, { header: { kid: '' } }],

  'is signed by a key that nobody published': [
    'unknown_key',
    'the token is signed by a key that the tenant does not publish',
    { key: stranger() },
  ],
  'brings its own key along': [
    'unknown_key',
    'the token is signed by a key that the tenant does not publish',
    { key: stranger(), header: { jwk: publicJwk(stranger()) } },
  ],
  'is signed by another key under a known id': [
    'signature',
    BAD_SIGNATURE,
    (tenant) => tenant.issueToken({ key: { ...stranger(), kid: tenant.key.kid } }),
  ],
  'brings its own key under a known id': [
    'signature',
    BAD_SIGNATURE,
    (tenant) =>
      tenant.issueToken({ key: { ...stranger(), kid: tenant.key.kid }, header: { jwk: publicJwk(stranger()) } }),
  ],
  'has the signature of another token': [
    'signature',
    BAD_SIGNATURE,
    (tenant) => mix(tenant.issueToken({ oid: 'mallory' }), tenant.issueToken({ oid: 'alice' })),
  ],
  'is signed with SHA-512 and says RS256': [
    'signature',
    BAD_SIGNATURE,
    (tenant) => signedWith(tenant, 'RS256', 'RSA-SHA512'),
  ],

  'has a claim twice': ['malformed', NOT_A_JWT, (tenant) => withPayload(tenant, '"oid":"mallory"')],
  'has a claim twice, spelt differently': [
    'malformed',
    NOT_A_JWT,
    (tenant) => withPayload(tenant, '"\\u006fid":"mallory"'),
  ],
  'has a claim twice, deep down': [
    'malformed',
    NOT_A_JWT,
    (tenant) => withPayload(tenant, '"x":[{"a":1,"b":{},"a":1}]'),
  ],
  'has a member of the header twice': ['malformed', NOT_A_JWT, (tenant) => withHeader(tenant, '"alg":"RS256"')],
  'is two parts': ['malformed', NOT_A_JWT, (tenant) => tenant.issueToken().split('.').slice(0, 2).join('.')],
  'is four parts': ['malformed', NOT_A_JWT, (tenant) => `${tenant.issueToken()}.e30`],
  'is encrypted': ['malformed', NOT_A_JWT, () => 'e30.e30.e30.e30.e30'],
  'is padded': ['malformed', NOT_A_JWT, (tenant) => `${tenant.issueToken()}==`],
  'has stray bits at the end of its signature': ['malformed', NOT_A_JWT, (tenant) => strayBits(tenant)],
  'is base64, not base64url': [
    'malformed',
    NOT_A_JWT,
    (tenant) => tenant.issueToken({ x: '???>>>' }).replaceAll('_', '/').replaceAll('-', '+'),
  ],
  'has a list for a payload': ['malformed', NOT_A_JWT, (tenant) => signText(headerOf(tenant), '[]', tenant.key)],
  'has null for a payload': ['malformed', NOT_A_JWT, (tenant) => signText(headerOf(tenant), 'null', tenant.key)],
  'has text for a payload': ['malformed', NOT_A_JWT, (tenant) => signText(headerOf(tenant), 'hello', tenant.key)],
  'has two payloads in one': ['malformed', NOT_A_JWT, (tenant) => signText(headerOf(tenant), '{}{}', tenant.key)],
  'begins with a byte order mark': [
    'malformed',
    NOT_A_JWT,
    (tenant) => signText(headerOf(tenant), `\uFEFF${payloadOf(tenant)}`, tenant.key),
  ],
  'is no UTF-8': ['malformed', NOT_A_JWT, (tenant) => notUtf8(tenant)],
  'is nested ten thousand deep': [
    'malformed',
    NOT_A_JWT,
    (tenant) => signText(headerOf(tenant), '['.repeat(10_000), tenant.key),
  ],
  'has a claim that is nested too deeply': ['malformed', NOT_A_JWT, { x: nested(64) }],
  'has an audience nested five thousand deep': ['malformed', NOT_A_JWT, (tenant) => withDeepClaim(tenant, 'aud')],
  'has an oid nested five thousand deep': ['malformed', NOT_A_JWT, (tenant) => withDeepClaim(tenant, 'oid')],
  'has a policy nested five thousand deep': ['malformed', NOT_A_JWT, (tenant) => withDeepClaim(tenant, 'tfp')],
  'has an exp nested five thousand deep': ['malformed', NOT_A_JWT, (tenant) => withDeepClaim(tenant, 'exp')],
  'has a critical extension nested five thousand deep': [
    'malformed',
    NOT_A_JWT,
    (tenant) => withHeader(tenant, `"crit":${deepText(5_000)}`),
  ],
  'is no token at all': ['malformed', NOT_A_JWT, () => 'secret'],
};

/** The token of one row. */
export function tokenOf([, , change]: Row, tenant: Tenant): string {
  return typeof change === 'function' ? change(tenant) : tenant.issueToken({ oid: 'alice', ...change });
}

function headerOf(tenant: Tenant): string {
  return JSON.stringify({ typ: 'JWT', alg: 'RS256', kid: tenant.key.kid });
}

function payloadOf(tenant: Tenant, changes: TokenChanges = { oid: 'alice' }): string {
  return Buffer.from(tenant.issueToken(changes).split('.')[1] ?? '', 'base64url').toString();
}

/** Lists in lists. */
export function nested(depth: number): unknown {
  return JSON.parse(deepText(depth));
}

function deepText(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

/** Too deep for anything that recurses, and short enough for a header. */
function withDeepClaim(tenant: Tenant, claim: string): string {
  const payload = payloadOf(tenant, { oid: 'alice', [claim]: 'deep' }).replace('"deep"', deepText(5_000));
  return signText(headerOf(tenant), payload, tenant.key);
}

/** A well-signed token with one more member at the end of its payload. */
function withPayload(tenant: Tenant, member: string): string {
  const changes = member.startsWith('"exp"') ? { oid: 'alice', exp: undefined } : { oid: 'alice' };
  return signText(headerOf(tenant), `${payloadOf(tenant, changes).slice(0, -1)},${member}}`, tenant.key);
}

function withHeader(tenant: Tenant, member: string): string {
  return signText(`${headerOf(tenant).slice(0, -1)},${member}}`, payloadOf(tenant), tenant.key);
}

function issueFor(tenant: Tenant, audience: (clientId: string) => unknown): string {
  return tenant.issueToken({ aud: audience(tenant.clientId) });
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** RFC 7519, section 6.1, with something in place of the empty signature so that it looks like three parts. */
function unsigned(tenant: Tenant): string {
  return `${encode('{"alg":"none","kid":"kid-first"}')}.${encode(payloadOf(tenant))}.AA`;
}

function signedWith(tenant: Tenant, alg: string, digest: string): string {
  const input = `${encode(JSON.stringify({ alg, kid: tenant.key.kid }))}.${encode(payloadOf(tenant))}`;
  return `${input}.${sign(digest, Buffer.from(input), tenant.key.privateKey).toString('base64url')}`;
}

/** What a verifier accepts that lets the token choose between RSA and HMAC. */
function hmacWithPublicKey(tenant: Tenant): string {
  tenant.editMetadata = (document) => ({ ...document, id_token_signing_alg_values_supported: ['RS256', 'HS256'] });
  const input = `${encode(JSON.stringify({ alg: 'HS256', kid: tenant.key.kid }))}.${encode(payloadOf(tenant))}`;
  const pem = tenant.key.publicKey.export({ type: 'spki', format: 'pem' });
  return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`;
}

function mix(content: string, signature: string): string {
  return [...content.split('.').slice(0, 2), signature.split('.')[2]].join('.');
}

/** A 256-byte signature leaves four unused bits in its last character. */
function strayBits(tenant: Tenant): string {
  const token = tenant.issueToken({ oid: 'alice' });
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1);
}

function notUtf8(tenant: Tenant): string {
  const payload = Buffer.from(payloadOf(tenant, { oid: 'alice', name: 'Ax' }));
  payload[payload.indexOf('Ax') + 1] = 0xff;
  const input = `${encode(headerOf(tenant))}.${payload.toString('base64url')}`;
  return `${input}.${sign('RSA-SHA256', Buffer.from(input), tenant.key.privateKey).toString('base64url')}`;
}
