/** Asks the tenants what the server would ask them, once. */
import type { KeySet } from '../auth/keySet.ts';
import type { TenantAnswer, TenantClient } from '../auth/tenantClient.ts';
import type { Clock } from '../clock.ts';
import type { Config, Policy, Tenant } from '../config.ts';
import { show } from '../show.ts';
import type { Line, Section } from './page.ts';

export interface TenantExamination {
  policy: Policy;
  section: Section;
  /** What the tenant publishes; undefined if that could not be fetched. */
  keySet: KeySet | undefined;
}

export interface ExaminationOptions {
  config: Config;
  clock: Clock;
  client: TenantClient;
}

const TIMEOUT_MS = 5_000;

/** Examines each policy's metadata. Never throws: a tenant that cannot be reached is a finding. */
export async function examineTenants(options: ExaminationOptions): Promise<TenantExamination[]> {
  const { tenants } = options.config;
  return await Promise.all(
    tenants.flatMap((tenant) => tenant.policies.map((policy) => examinePolicy(tenant, policy, options))),
  );
}

async function examinePolicy(tenant: Tenant, policy: Policy, options: ExaminationOptions): Promise<TenantExamination> {
  const title = `${nameOf(tenant, policy)} (${policy.label})`;
  const metadata = { subject: 'metadata', expected: `an answer from ${policy.metadataUrl}` };
  try {
    const signal = new AbortController().signal;
    const answer = await options.client.fetchKeySet(policy.metadataUrl, { timeoutMs: TIMEOUT_MS, signal });
    const lines: Line[] = [{ ...metadata, verdict: 'ok', received: 'it answers' }, ...linesOf(answer, options)];
    return { policy, section: { title, lines }, keySet: answer };
  } catch (error) {
    const line: Line = {
      ...metadata,
      verdict: 'wrong',
      received: reasonOf(error),
      cure: cureOf(error, tenant, policy),
    };
    return { policy, section: { title, lines: [line] }, keySet: undefined };
  }
}

/** What a person calls it. */
export function nameOf({ kind }: Tenant, { name }: Policy): string {
  if (kind === 'external-id') return 'Microsoft Entra External ID';
  return name === '' ? 'The OpenID issuer' : 'Azure AD B2C';
}

function linesOf({ issuer, keys, date }: TenantAnswer, { config, clock }: ExaminationOptions): Line[] {
  const received = [...keys.keys()].map(show).join(', ');
  return [
    { verdict: 'ok', subject: 'issuer', received: show(issuer) },
    { verdict: 'ok', subject: 'keys', received },
    clockLine(date, config.clockSkewSeconds, clock),
  ];
}

/** How far this machine's clock is from the tenant's. The header has whole seconds, and the answer took a moment. */
function clockLine(date: string | undefined, toleranceSeconds: number, clock: Clock): Line {
  const tenantTime = Date.parse(date ?? '');
  const subject = 'clock';
  if (Number.isNaN(tenantTime)) {
    return { verdict: 'note', subject, received: 'the tenant does not say what time it is' };
  }
  const seconds = Math.round((clock.now() - tenantTime) / 1000);
  const received = `this machine is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} the tenant`;
  const expected = `at most ${toleranceSeconds} s apart (B2C_CLOCK_SKEW)`;
  if (Math.abs(seconds) <= Math.max(toleranceSeconds, 2)) return { verdict: 'ok', subject, expected, received };
  const cure = 'set the clock of this machine (NTP) rather than raising B2C_CLOCK_SKEW';
  return { verdict: 'wrong', subject, expected, received, cure };
}

/** The message, or that of a cause: a connection refused at several addresses has no message of its own. */
function reasonOf(error: unknown): string {
  const { message, code, errors } = error as { message?: string; code?: string; errors?: unknown[] };
  return message || (errors?.[0] === undefined ? (code ?? String(error)) : reasonOf(errors[0]));
}

function cureOf(error: unknown, { kind }: Tenant, { name }: Policy): string {
  const reason = `${reasonOf(error)} ${String((error as { code?: string }).code)}`;
  const names = settingsOf(kind, name);
  if (/answered 40[04]/.test(reason)) {
    if (kind === 'external-id') {
      return 'check EXTERNAL_ID_METADATA against the portal: the host and the path both carry the tenant id';
    }
    return name === ''
      ? `check ${names}: there is no OpenID metadata at this URL`
      : `check ${names} against the portal: the tenant does not know this policy`;
  }
  if (/template/.test(reason)) {
    return 'replace "common" or "organizations" in the URL with the id of your tenant';
  }
  if (/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/.test(reason)) {
    return 'set the clock of this machine (NTP) if it is wrong; else whoever runs this host, or a proxy, must renew its certificate';
  }
  if (/altname/i.test(reason)) {
    return `check the host in ${names}: what answers there, perhaps a proxy, has no certificate for that name`;
  }
  if (/cert|self.signed/i.test(reason)) {
    return "set NODE_EXTRA_CA_CERTS to a PEM file with the authority that signed this host's certificate";
  }
  return `check ${names} and the network; behind a proxy, set HTTPS_PROXY`;
}

/** What decides which URL is asked. */
function settingsOf(kind: Tenant['kind'], policy: string): string {
  if (kind === 'external-id') return 'EXTERNAL_ID_METADATA';
  if (policy === '') return 'B2C_IDENTITY_METADATA';
  return 'B2C_TENANT_NAME, B2C_POLICY_NAME and, if it is set, B2C_IDENTITY_METADATA';
}
