/** Explains what the gate would say about a token, check by check. */
import {
  expectationsOf,
  findingOf,
  issuerCheck,
  keyCheck,
  signatureCheck,
  tokenChecks,
  type Check,
  type Expectations,
} from '../auth/checks.ts';
import type { KeySet, TenantKey } from '../auth/keySet.ts';
import { policyOf } from '../auth/policy.ts';
import { TokenRefusedError } from '../auth/refusal.ts';
import { hasScope } from '../auth/scope.ts';
import { show } from '../show.ts';
import { readToken, type Token } from '../auth/token.ts';
import { checkSignature } from '../auth/verify.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { isWrong, type Line } from './finding.ts';
import type { TenantExamination } from './tenant.ts';

export interface TokenExaminationOptions {
  config: Config;
  clock: Clock;
  tenants: readonly TenantExamination[];
}

/** Every check of the gate, in its order, with its verdict. Where one depends on another that failed, it is skipped. */
export async function examineToken(text: string, options: TokenExaminationOptions): Promise<Line[]> {
  const { config, clock, tenants } = options;
  const token = read(text);
  if (!('claims' in token)) return [token];
  const policy = policyOf(token.claims, config.policies);
  const keySet = tenants.find((tenant) => tenant.policy === policy)?.keySet;
  const expectations = expectationsOf(config, clock, keySet);
  return [
    ...checkToken(token, expectations),
    ...(await tenantLines(text, token, keySet, expectations)),
    ...scopeLines(token, config),
  ];
}

function read(text: string): Token | Line {
  try {
    return readToken(text);
  } catch (error) {
    if (!(error instanceof TokenRefusedError)) throw error;
    return { verdict: 'wrong', ...error.findings[0] };
  }
}

function lineOf(check: Check, token: Token, expectations: Expectations): Line {
  const finding = findingOf(check, token, expectations);
  if (!check.isMet(token, expectations)) return { verdict: 'wrong', ...finding };
  return { verdict: 'ok', subject: finding.subject, expected: finding.expected, received: finding.received };
}

/** Of several checks for one reason, what is wrong is shown, or else the first one. */
function checkToken(token: Token, expectations: Expectations): Line[] {
  const groups = Object.values(Object.groupBy(tokenChecks, ({ reason, subject }) => `${reason} ${subject}`));
  return groups.flatMap((checks = []): Line[] => {
    const lines = checks.map((check) => lineOf(check, token, expectations));
    return lines.some(isWrong) ? lines.filter(isWrong) : lines.slice(0, 1);
  });
}

/** What needs the tenant: issuer, key, signature. */
async function tenantLines(
  text: string,
  token: Token,
  keySet: KeySet | undefined,
  expectations: Expectations,
): Promise<Line[]> {
  if (keySet === undefined) {
    const received = "the keys of the token's policy are not known";
    return ['iss', 'kid', 'signature'].map((subject) => ({ verdict: 'skipped', subject, received }));
  }
  const { kid } = token.header;
  const key = typeof kid === 'string' ? keySet.keys.get(kid) : undefined;
  return [lineOf(issuerCheck, token, expectations), ...(await signatureLines(text, token, keySet, key))];
}

async function signatureLines(text: string, token: Token, keySet: KeySet, key: TenantKey | undefined): Promise<Line[]> {
  const expected = keyCheck.expected([...keySet.keys.keys()]);
  const received = keyCheck.received(token);
  if (key === undefined) {
    const skipped = {
      verdict: 'skipped',
      subject: 'signature',
      received: 'the key that made it is not known',
    } as const;
    return [{ verdict: 'wrong', ...keyCheck, expected, received }, skipped];
  }
  return [{ verdict: 'ok', subject: 'published key', expected, received }, await signatureLine(text, key)];
}

async function signatureLine(text: string, key: TenantKey): Promise<Line> {
  try {
    await checkSignature(text, key);
    const { subject, expected } = signatureCheck;
    return { verdict: 'ok', subject, expected, received: 'just that' };
  } catch (error) {
    if (!(error instanceof TokenRefusedError)) throw error;
    return { verdict: 'wrong', ...error.findings[0] };
  }
}

/** A scope that lacks is a 403 for reading or writing, not a refusal of the token. */
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
    return [{ verdict: 'note', ...line, description: `${verb} is answered 403`, cure }];
  });
}
