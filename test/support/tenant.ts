import { generateKeyPairSync, type JsonWebKey, type KeyObject, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import type { Clock } from '../../src/clock.ts';

/** One RSA key pair, and the `kid` that the tenant publishes it under. */
export interface SigningKey {
  kid: string;
  publicKey: KeyObject;
  privateKey: KeyObject;
}

/** How a token differs from a usual one. Any claim may be given; `undefined` takes it out. */
export interface TokenChanges {
  /** Seconds from now to `exp`; default 3600. */
  expiresIn?: number;
  /** Members of the header; `undefined` takes one out. */
  header?: Record<string, unknown>;
  /** Signs instead of the tenant's current key. */
  key?: SigningKey;
  [claim: string]: unknown;
}

/** How the tenant misbehaves. */
export type Fault =
  'down' | 'hang' | 'drip' | 'html' | 'null' | 'empty' | 'truncated' | 'error' | 'missing' | 'huge' | 'redirect';

export interface TenantOptions {
  clock?: Clock;
  kind?: 'b2c' | 'external-id';
  policies?: readonly string[];
}

const TENANT_NAME = 'contoso.onmicrosoft.com';
const TENANT_ID = 'c64a4f7d-3091-4c73-a722-a3f06e6e5b1c';
const CLIENT_ID = 'f2a76e08-93f2-4350-833c-965c02483b11';
const EXTERNAL_TENANT_ID = 'aaaabbbb-0000-4ccc-8ddd-222200003333';
const EXTERNAL_CLIENT_ID = '00001111-aaaa-4222-bbbb-3333cccc4444';

/** Starts a tenant on loopback, shaped like B2C or like External ID, that closes with the test. */
export async function startTenant(t: { after(fn: () => Promise<void>): void }, options?: TenantOptions) {
  const tenant = new Tenant(options);
  await tenant.listen();
  t.after(() => tenant.close());
  return tenant;
}

/** A tenant that publishes metadata and keys over HTTPS, really signs tokens, and fails on command. */
export class Tenant {
  readonly kind: 'b2c' | 'external-id';
  readonly clientId: string;
  /** Requests seen, by kind. */
  readonly requests = { metadata: 0, keys: 0, other: 0 };
  /** The key that signs; published with `publishedKeys`. */
  key: SigningKey;
  publishedKeys: SigningKey[];
  /** Changes a document on its way out: a tenant that lies. */
  editMetadata: (document: Record<string, unknown>, policy: string) => unknown = (document) => document;
  editKeys: (document: { keys: unknown[] }, policy: string) => unknown = (document) => document;
  /** Where `redirect` sends to; a path or a whole URL. */
  redirectTo = '/elsewhere';
  readonly policies: readonly string[];
  readonly #faults = new Map<'metadata' | 'keys', Fault>();
  readonly #clock: Clock;
  #server: Server | undefined;
  #port = 0;

  constructor({ clock = Date, kind = 'b2c', policies = ['b2c_1_susi'] }: TenantOptions = {}) {
    this.#clock = clock;
    this.kind = kind;
    this.policies = kind === 'b2c' ? policies : [];
    this.clientId = kind === 'b2c' ? CLIENT_ID : EXTERNAL_CLIENT_ID;
    this.key = signingKey(kind === 'b2c' ? 'first' : 'external');
    this.publishedKeys = [this.key];
  }

  /** Listens on a free port, or again on the same one after `close`. */
  async listen(): Promise<void> {
    const { cert, key } = await certificate();
    this.#server = createServer({ cert, key }, (req, res) => {
      this.#answer(req, res);
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.#server?.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  get url(): string {
    return `https://localhost:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get tenantId(): string {
    return this.kind === 'b2c' ? TENANT_ID : EXTERNAL_TENANT_ID;
  }

  /** The issuer carries the tenant's GUID and no policy; B2C's ends in a slash, External ID's does not. */
  get issuer(): string {
    return `${this.url}/${this.tenantId}/v2.0${this.kind === 'b2c' ? '/' : ''}`;
  }

  metadataUrl(policy = this.policies[0] ?? ''): string {
    const path = this.kind === 'b2c' ? `${TENANT_NAME}/${policy}` : this.tenantId;
    return `${this.url}/${path}/v2.0/.well-known/openid-configuration`;
  }

  /** The variables that make a server trust this tenant. */
  get env(): Record<string, string> {
    if (this.kind === 'external-id') {
      return { EXTERNAL_ID_METADATA: this.metadataUrl(), EXTERNAL_ID_CLIENT_ID: this.clientId };
    }
    return {
      B2C_TENANT_NAME: TENANT_NAME,
      B2C_POLICY_NAME: this.policies.join(','),
      B2C_CLIENT_ID: this.clientId,
      B2C_IDENTITY_METADATA: this.metadataUrl('{policy}'),
    };
  }

  /** A token as the tenant issues them for a user, with the changes applied. */
  issueToken({ expiresIn = 3600, header = {}, key = this.key, ...claims }: TokenChanges = {}): string {
    const now = Math.floor(this.#clock.now() / 1000);
    const oid = 'oid' in claims ? claims['oid'] : randomUUID();
    return signText(
      JSON.stringify({ typ: 'JWT', alg: 'RS256', kid: key.kid, ...header }),
      JSON.stringify({
        iss: this.issuer,
        exp: now + expiresIn,
        nbf: now,
        aud: this.clientId,
        oid,
        name: 'Alice',
        scp: 'tasks.read tasks.write',
        azp: '38307aee-303c-4fff-8087-d8d2c6d5a2d1',
        iat: now,
        ...(this.kind === 'b2c'
          ? { sub: oid, tfp: this.policies[0], ver: '1.0' }
          : { sub: 'AbCdEfGh0123456789', tid: this.tenantId, ver: '2.0' }),
        ...claims,
      }),
      key,
    );
  }

  /** Until `heal`. */
  break(fault: Fault, where: 'metadata' | 'keys' | 'both' = 'metadata'): void {
    if (where !== 'keys') this.#faults.set('metadata', fault);
    if (where !== 'metadata') this.#faults.set('keys', fault);
  }

  heal(): void {
    this.#faults.clear();
    this.editMetadata = (document) => document;
    this.editKeys = (document) => document;
  }

  /** Signs with a new key from now on; the old ones stay published unless told otherwise. */
  rotate(name: string, { keepOld = true } = {}): void {
    this.key = signingKey(name);
    this.publishedKeys = keepOld ? [...this.publishedKeys, this.key] : [this.key];
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    const { pathname, searchParams } = new URL(req.url ?? '/', this.url);
    const kind = /\/openid-configuration$/.test(pathname) ? 'metadata' : /\/keys$/.test(pathname) ? 'keys' : 'other';
    this.requests[kind] += 1;
    if (kind === 'other') {
      send(res, 404, {});
      return;
    }
    const policy = searchParams.get('p') ?? pathname.split('/').find((part) => /^b2c_1/i.test(part)) ?? '';
    const document = kind === 'metadata' ? this.#metadata(policy) : this.#keys(policy);
    const fault = this.#faults.get(kind);
    if (fault === undefined || (fault === 'redirect' && pathname === this.redirectTo)) {
      send(res, 200, JSON_TYPE, document);
    } else misbehave(fault, res, document, this.redirectTo);
  }

  #metadata(policy: string): string {
    const base = `${this.url}/${this.kind === 'b2c' ? `${TENANT_NAME}/${policy.toLowerCase()}` : this.tenantId}`;
    return JSON.stringify(
      this.editMetadata(
        {
          issuer: this.issuer,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          token_endpoint: `${base}/oauth2/v2.0/token`,
          jwks_uri: `${base}/discovery/v2.0/keys`,
          response_types_supported: ['code', 'id_token', 'token'],
          subject_types_supported: ['pairwise'],
          id_token_signing_alg_values_supported: ['RS256'],
        },
        policy,
      ),
    );
  }

  #keys(policy: string): string {
    return JSON.stringify(this.editKeys({ keys: this.publishedKeys.map(publicJwk) }, policy));
  }
}

/** The public half as B2C publishes it. */
export function publicJwk(key: SigningKey): JsonWebKey {
  const { kty, n, e } = key.publicKey.export({ format: 'jwk' });
  return { kid: key.kid, nbf: 1493763266, use: 'sig', kty, n, e } as JsonWebKey;
}

/** Signs a header and a payload as they are written, so that a test can sign nonsense too. */
export function signText(header: string, payload: string, key: SigningKey): string {
  const input = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`;
  return `${input}.${sign('RSA-SHA256', Buffer.from(input), key.privateKey).toString('base64url')}`;
}

const signingKeys = new Map<string, SigningKey>();

/** The key of that name: made on first use, then shared by the whole test process, since making one is slow. */
export function signingKey(name: string): SigningKey {
  const known = signingKeys.get(name);
  if (known !== undefined) return known;
  const key = { kid: `kid-${name}`, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
  signingKeys.set(name, key);
  return key;
}

let madeCertificate: Promise<{ cert: string; key: string }> | undefined;

/** The certificate of every tenant in this process, which trusts it from then on. */
export function certificate(): Promise<{ cert: string; key: string }> {
  madeCertificate ??= makeCertificate();
  return madeCertificate;
}

async function makeCertificate(): Promise<{ cert: string; key: string }> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: 'tenant.example' },
        ],
      },
    ],
  });
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), made.cert]);
  return { cert: made.cert, key: made.private };
}

/** Not chained: restify replaces `writeHead` of every response in the process by one that returns nothing. */
function send(res: ServerResponse, status: number, headers: Record<string, string>, body = ''): void {
  res.writeHead(status, headers);
  res.end(body);
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

function misbehave(fault: Fault, res: ServerResponse, document: string, redirectTo: string): void {
  if (fault === 'down') res.destroy();
  else if (fault === 'html') send(res, 200, { 'Content-Type': 'text/html' }, '<html>Service Unavailable</html>');
  else if (fault === 'null') send(res, 200, JSON_TYPE, 'null');
  else if (fault === 'empty') send(res, 200, JSON_TYPE, '{}');
  else if (fault === 'error') send(res, 500, JSON_TYPE, document);
  else if (fault === 'missing') send(res, 404, {});
  else if (fault === 'redirect') send(res, 302, { Location: redirectTo });
  else if (fault === 'truncated') truncate(res, document);
  else if (fault === 'huge') flood(res);
  else if (fault === 'drip') drip(res, document);
  // 'hang': the request is read and nothing is ever answered.
}

/** Announces the whole document and hangs up in the middle of it. */
function truncate(res: ServerResponse, document: string): void {
  res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(document) });
  res.write(document.slice(0, 40), () => res.destroy());
}

/** Never stops sending. */
function flood(res: ServerResponse): void {
  res.writeHead(200, { 'Content-Type': 'application/json' });
  const chunk = Buffer.alloc(64 * 1024, ' ');
  const more = (): void => {
    while (!res.destroyed && res.write(chunk));
  };
  res.on('drain', more);
  more();
}

/** A byte now and then, so that no idle timeout ever strikes. */
function drip(res: ServerResponse, document: string): void {
  res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(document) });
  let sent = 0;
  const timer = setInterval(() => res.write(document.charAt(sent++)), 20);
  res.on('close', () => {
    clearInterval(timer);
  });
}
