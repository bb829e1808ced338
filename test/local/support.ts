import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { checkServerIdentity } from 'node:tls';
import { createRemoteJWKSet, customFetch, jwtVerify, type JWTVerifyResult } from 'jose';
import { Agent, fetch, request, type RequestInit, Response } from 'undici';
import type { Clock } from '../../src/clock.ts';
import { CLIENT_ID } from '../../src/local/tenant/identity.ts';
import { startTenant, type Tenant } from '../../src/local/tenant/tenant.ts';

// A developer may have it set in their shell, but the tests' processes must use folders of their own.
delete process.env['DEV_DATA_DIR'];

export const root = resolve(import.meta.dirname, '../..');

export interface Client {
  tenant: Tenant;
  /** Asks the tenant (a path, or a whole URL), trusting its certificate alone; redirects are not followed. */
  get: (path: string) => Promise<Response>;
  /** Asks with these headers and none of its own; `get` always says that it is a script (`Sec-Fetch-Mode: cors`). */
  ask: (path: string, headers?: Record<string, string>, method?: 'GET' | 'POST' | 'OPTIONS') => Promise<Response>;
  postForm: (path: string, form: Record<string, string>) => Promise<Response>;
}

// The keys of a tenant take a tenth of a second to make, so the tests of one file that do not look at them share a state.
const sharedDirectory = mkdtempSync(join(tmpdir(), 'tasks-dev-'));
process.on('exit', () => {
  rmSync(sharedDirectory, { recursive: true, force: true });
});

/** A tenant of the test's own, and a client that trusts it. */
export async function startTestTenant(t: TestContext, directory?: string, clock: Clock = Date): Promise<Client> {
  const tenant = await startTenant({ directory: directory ?? sharedDirectory, clock });
  const fetchTrusting = trusting(t, tenant.certificate);
  const dispatcher = trustingAgent(t, tenant.certificate);
  t.after(() => tenant.close());
  return {
    tenant,
    get: (path) => fetchTrusting(path.startsWith('/') ? tenant.origin + path : path, { redirect: 'manual' }),
    ask: async (path, headers = {}, method = 'GET') => {
      const answer = await request(tenant.origin + path, { dispatcher, method, headers });
      const text = await answer.body.text();
      const fields = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as [string, string]);
      return new Response(text === '' ? null : text, { status: answer.statusCode, headers: fields });
    },
    postForm: (path, form) => {
      return fetchTrusting(tenant.origin + path, { method: 'POST', body: new URLSearchParams(form) });
    },
  };
}

/** A `fetch` that trusts one certificate. */
export function trusting(t: TestContext, ca: string): (url: string, init?: RequestInit) => Promise<Response> {
  const dispatcher = trustingAgent(t, ca);
  return (url, init) => fetch(url, { ...init, dispatcher });
}

function trustingAgent(t: TestContext, ca: string): Agent {
  // Whatever a test writes into `Host`, it means the machine at the other end of the connection.
  const agent = new Agent({
    connect: { ca, checkServerIdentity: (_, peer) => checkServerIdentity('localhost', peer) },
  });
  t.after(() => agent.close());
  return agent;
}

/** Verifies a token as an API would: by what the policy's metadata publishes, over HTTPS. */
export async function verifyByMetadata(client: Client, token: string, policy: string): Promise<JWTVerifyResult> {
  const url = client.tenant.metadataUrl.replace('{policy}', policy);
  const { issuer, jwks_uri } = (await (await client.get(url)).json()) as { issuer: string; jwks_uri: string };
  const get = (target: string) => client.get(target) as unknown as Promise<globalThis.Response>;
  const keys = createRemoteJWKSet(new URL(jwks_uri), { [customFetch]: get });
  return jwtVerify(token, keys, { issuer, audience: CLIENT_ID, algorithms: ['RS256'] });
}

export function pkcePair(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end; a failure is an outcome, not an error. */
export function run(file: string, args: string[], env: NodeJS.ProcessEnv = {}, cwd = root): Promise<Outcome> {
  return new Promise((done) => {
    const child = execFile(file, args, { cwd, env: { ...process.env, ...env } }, (_error, stdout, stderr) => {
      done({ code: child.exitCode, stdout, stderr });
    });
  });
}
