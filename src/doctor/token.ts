/** Explains how the gate would judge a token, check by check. */
import { findingOf, issuerChecks, keyCheck, signatureCheck, tokenChecks } from '../auth/checks.ts';
import { hasScope, ownerClaimOf, ownerOf } from '../auth/claims.ts';
import type { Check, Expectations } from '../auth/commonChecks.ts';
import { bearerToken } from '../auth/credentials.ts';
import { type Judge, judgeOf } from '../auth/judge.ts';
import type { KeySet, TenantKey } from '../auth/keySet.ts';
import { TokenRefusedError } from '../auth/refusal.ts';
import { readToken, type Token } from '../auth/token.ts';
import { isSignedBy } from '../auth/verify.ts';
import type { Clock } from '../clock.ts';
import type { Config, Policy } from '../config.ts';
import { show } from '../show.ts';
import { isWrong, type Line } from './page.ts';
import { nameOf, type TenantExamination } from './tenant.ts';

export interface TokenExaminationOptions {
  config: Config;
  clock: Clock;
  tenants: readonly TenantExamination[];
}

/** Every check of the gate, in order, with its verdict. A check that depends on a failed one is skipped. */
export function examineToken(text: string, { config, clock, tenants }: TokenExaminationOptions): Line[] {
  const token = read(text);
  if (!('claims' in token)) return [token];
  const published = (policy: Policy): KeySet | undefined =>
    tenants.find((examination) => examination.policy === policy)?.keySet;
  const judge = judgeOf(token.claims, config.tenants, published);
  const keySet = judge.policy && published(judge.policy);
  const { clockSkewSeconds } = config;
  const expectations = { tenant: judge.tenant, issuer: keySet?.issuer, now: clock.now() / 1000, clockSkewSeconds };
  const checks = tokenChecks[judge.tenant.kind];
  return [
    ...judgeLines(judge, config),
    ...checkToken(checks, token, expectations),
    ...tenantLines(text, token, keySet, expectations),
    ...ownerLines(token, expectations),
    ...scopeLines(token, config),
    ...registrationLines(token, judge, config),
  ];
}

/** The server does not come as far as the token. */
const MALFORMED_HEADER = { verdict: 'wrong', status: 400, subject: 'token' } as const;

function read(text: string): Token | Line {
  if (/\s/.test(text)) {
    return {
      ...MALFORMED_HEADER,
      received: /[\r\n]/.test(text) ? 'a line break in the middle' : 'white space in the middle',
      description: 'the token is broken up: a header with a line break or a space in the token is refused',
      cure: 'copy the token as one line, without the breaks that a terminal or an e-mail put in',
    };
  }
  if (bearerToken({ headers: { authorization: `Bearer ${text}` } }) === undefined) {
    return {
      ...MALFORMED_HEADER,
      received: 'something else as well',
      description: 'there is a character that no token has, such as a quote or a comma',
      cure: 'copy the token alone, without what stands around it',
    };
  }
  try {
    return readToken(text);
  } catch (error) {
    if (!(error instanceof TokenRefusedError)) throw error;
    return { verdict: 'wrong', ...error.findings[0] };
  }
}

/** With two tenants, the first question is who judges. */
function judgeLines({ tenant, policy }: Judge, { tenants }: Config): Line[] {
  if (tenants.length < 2) return [];
  const [first] = tenant.policies;
  const name = first === undefined ? '' : nameOf(tenant, policy ?? first);
  return [{ verdict: 'note', subject: 'judged by', received: `${name}, chosen by iss` }];
}

function lineOf(check: Check, token: Token, expectations: Expectations): Line {
  const finding = findingOf(check, token, expectations);
  if (!check.isMet(token, expectations)) return { verdict: 'wrong', ...finding };
  return { verdict: 'ok', subject: finding.subject, expected: finding.expected, received: finding.received };
}

/** Of several checks for one reason, shows the failed ones, or else the first. */
function checkToken(checks: readonly Check[], token: Token, expectations: Expectations): Line[] {
  const groups = Object.values(Object.groupBy(checks, ({ reason, subject }) => `${reason} ${subject}`));
  return groups.flatMap((group = []): Line[] => {
    const lines = group.map((check) => lineOf(check, token, expectations));
    return lines.some(isWrong) ? lines.filter(isWrong) : lines.slice(0, 1);
  });
}

/** What needs the tenant: issuer, key, signature. */
function tenantLines(text: string, token: Token, keySet: KeySet | undefined, expectations: Expectations): Line[] {
  const checks = issuerChecks[expectations.tenant.kind];
  if (keySet === undefined) {
    const received = "the keys of the token's policy are not known";
    const subjects = [...checks.map(({ subject }) => subject), 'kid', 'signature'];
    return subjects.map((subject) => ({ verdict: 'skipped', subject, received }));
  }
  const { kid } = token.header;
  const key = typeof kid === 'string' ? keySet.keys.get(kid) : undefined;
  return [...checks.map((check) => lineOf(check, token, expectations)), ...signatureLines(text, token, keySet, key)];
}

function signatureLines(text: string, token: Token, { keys }: KeySet, key: TenantKey | undefined): Line[] {
  const expected = keyCheck.expected([...keys.keys()]);
  const received = keyCheck.received(token);
  if (key === undefined) {
    const skipped = {
      verdict: 'skipped',
      subject: 'signature',
      received: 'its key is not known',
    } as const;
    return [{ verdict: 'wrong', ...keyCheck, expected, received }, skipped];
  }
  const signature: Line = isSignedBy(text, key)
    ? { verdict: 'ok', subject: 'signature', expected: signatureCheck.expected, received: 'made by that key' }
    : { verdict: 'wrong', ...signatureCheck };
  return [{ verdict: 'ok', subject: 'published key', expected, received }, signature];
}

/** Whose tasks the token gives access to: after a migration, the first thing to check. */
function ownerLines({ claims }: Token, { tenant }: Expectations): Line[] {
  if (tenant.kind !== 'external-id' || typeof claims['oid'] !== 'string') return [];
  const from =
    ownerClaimOf(claims, tenant) !== undefined
      ? `from ${show(tenant.ownerClaim)}`
      : tenant.ownerClaim === undefined
        ? 'from oid: EXTERNAL_ID_OWNER_CLAIM is not set'
        : `from oid: the token has no ${show(tenant.ownerClaim)}`;
  return [{ verdict: 'note', subject: 'owner', received: `${show(ownerOf(claims, tenant))}, ${from}` }];
}

/** A missing scope is a 403 for reading or writing, not a refusal of the token. */
function scopeLines({ claims }: Token, { readScope, writeScope }: Config): Line[] {
  const needs = [
    { verb: 'reading', scope: readScope, variable: 'B2C_READ_SCOPE' },
    { verb: 'writing', scope: writeScope, variable: 'B2C_WRITE_SCOPE' },
  ];
  return needs.flatMap(({ verb, scope, variable }): Line[] => {
    if (scope === undefined) return [];
    const line = { subject: 'scp', expected: `${scope} for ${verb} (${variable})`, received: show(claims['scp']) };
    if (hasScope(claims, scope)) return [{ verdict: 'ok', ...line }];
    const cure = scope.includes('/')
      ? `set ${variable} to the short name: tokens carry ${show(scope.split('/').at(-1))}, not the whole URI`
      : `ask for ${scope} when signing in, and grant it to the client in the portal (API permissions)`;
    return [{ verdict: 'note', ...line, description: `${verb} is refused with 403`, cure }];
  });
}

/** Whether the user is registered is in the store, which the doctor does not ask. */
function registrationLines({ claims }: Token, { tenant }: Judge, { autoRegister }: Config): Line[] {
  if (autoRegister || typeof claims['oid'] !== 'string') return [];
  return [
    {
      verdict: 'note',
      subject: 'AUTO_REGISTER',
      received: `false: ${show(ownerOf(claims, tenant))} must have been added`,
      description: 'anyone else is refused with 403',
      cure: 'see who was added with npm run -s users -- list, and add who is missing with npm run -s users -- add <oid>',
    },
  ];
}
