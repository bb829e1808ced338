/** Azure AD B2C and Entra External ID side by side: each token is judged by its own tenant alone. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { movableClock } from '../support/clock.ts';
import { startServer } from '../support/server.ts';
import { type SigningKey, signingKey, startTenant, type Tenant, type TokenChanges } from '../support/tenant.ts';
import { until } from '../support/until.ts';
import { type Gate, startGate } from './gate.ts';
import { refused, tokenOf } from './refusedTokens.ts';

const OWNER_CLAIM = 'extension_0123_B2CObjectId';
const OWNER_ENV = { EXTERNAL_ID_OWNER_CLAIM: OWNER_CLAIM };

interface Both extends Gate {
  b2c: Tenant;
  externalId: Tenant;
}

async function startBoth(t: TestContext, env: Record<string, string> = OWNER_ENV): Promise<Both> {
  const [b2c, externalId] = [await startTenant(t), await startTenant(t, { kind: 'external-id' })];
  return { ...(await startGate(t, { tenant: b2c, externalId, env })), b2c, externalId };
}

async function startExternalId(t: TestContext, env: Record<string, string> = OWNER_ENV): Promise<Gate> {
  return startGate(t, { tenant: await startTenant(t, { kind: 'external-id' }), env });
}

test('the tokens of both tenants are good, on the data of the same person', async (t) => {
  const externalId = await startTenant(t, { kind: 'external-id' });
  const { as, url } = await startServer(t, { env: { ...externalId.env, ...OWNER_ENV } });
  const moved = { oid: 'new-id', [OWNER_CLAIM]: 'alice', name: 'Alice' };
  const { _id } = await as('alice').create({ Text: 'Buy milk' });

  const response = await fetch(`${url}/api/tasks`, {
    headers: { Authorization: `Bearer ${externalId.issueToken(moved)}` },
  });

  assert.equal(response.status, 200);
  const tasks = (await response.json()) as { _id: string }[];
  assert.deepEqual(
    tasks.map((task) => task._id),
    [_id],
  );
});

test('External ID alone works without B2C, with and without the appid in its metadata URL', async (t) => {
  const tenant = await startTenant(t, { kind: 'external-id' });

  for (const EXTERNAL_ID_METADATA of [tenant.metadataUrl(), `${tenant.metadataUrl()}?appid=${tenant.clientId}`]) {
    const gate = await startGate(t, { tenant, env: { EXTERNAL_ID_METADATA } });
    const { status, body } = await gate.call(tenant.issueToken({ oid: 'alice' }));
    assert.equal(status, 200);
    assert.deepEqual(body['user'], { oid: 'alice', name: 'Alice' });
    assert.deepEqual([...gate.authentication.keys.policies().keys()], ['external-id']);
  }
});

// A policy is none of External ID's business.
const rows = Object.entries(refused).filter(([, [reason]]) => reason !== 'policy');
const NO_OID = 'the token has no oid claim: also ask for the scope openid when signing in';

test('what is refused from B2C is refused from External ID, alone and beside B2C, for the same reasons', async (t) => {
  const alone = await startExternalId(t);
  const beside = await startBoth(t);

  for (const [what, row] of rows) {
    const [reason, ofB2c] = row;
    const description = what === 'has no oid' ? NO_OID : ofB2c;
    const answer = await alone.call(tokenOf(row, alone.tenant));
    const answerBeside = await beside.call(tokenOf(row, beside.externalId));

    assert.equal(answer.status, 401, what);
    assert.equal(answer.challenge, `Bearer realm="Users", error="invalid_token", error_description="${description}"`);
    assert.equal(alone.outcomes.at(-1), reason, what);
    assert.equal(answerBeside.status, 401, what);
    // A token of neither issuer is judged by B2C, which finds more wrong with it than the issuer.
    if (reason !== 'issuer') assert.equal(beside.outcomes.at(-1), reason, what);
  }
});

test('whatever B2C refuses alone it refuses beside External ID, for the same reason', async (t) => {
  const gate = await startBoth(t);

  for (const [what, row] of Object.entries(refused)) {
    const { status } = await gate.call(tokenOf(row, gate.b2c));
    assert.equal(status, 401, what);
    assert.equal(gate.outcomes.at(-1), row[0], what);
  }
});

/** Every pair of what one tenant vouches for and the other might be taken to vouch for. */
function* crossings({ b2c, externalId }: Both, keys: Record<string, SigningKey>) {
  const issuers = { b2c: b2c.issuer, 'external-id': externalId.issuer, nobody: 'https://else.example/v2.0' };
  const audiences = { b2c: b2c.clientId, 'external-id': externalId.clientId };
  const shapes = {
    b2c: { tfp: 'b2c_1_susi', tid: undefined },
    'external-id': { tfp: undefined, tid: externalId.tenantId },
    both: { tfp: 'b2c_1_susi', tid: externalId.tenantId },
    'of B2C with its own tenant id': { tfp: 'b2c_1_susi', tid: b2c.tenantId },
    neither: { tfp: undefined, tid: undefined },
  };
  const owners: Record<string, TokenChanges> = { 'no owner claim': {}, 'an owner claim': { [OWNER_CLAIM]: 'victim' } };
  for (const [iss, issuer] of Object.entries(issuers)) {
    for (const [key, signing] of Object.entries(keys)) {
      for (const [aud, audience] of Object.entries(audiences)) {
        for (const [shape, members] of Object.entries(shapes)) {
          for (const [owner, claims] of Object.entries(owners)) {
            const isOf = (tenant: string): boolean => iss === tenant && key === tenant && aud === tenant;
            const user =
              isOf('b2c') && members.tfp !== undefined
                ? 'alice'
                : isOf('external-id') && members.tid === externalId.tenantId
                  ? (claims[OWNER_CLAIM] ?? 'alice')
                  : undefined;
            yield {
              what: `issuer ${iss}, key ${key}, audience ${aud}, shape ${shape}, ${owner}`,
              token: b2c.issueToken({ oid: 'alice', ...claims, ...members, iss: issuer, aud: audience, key: signing }),
              user,
            };
          }
        }
      }
    }
  }
}

async function assertCrossings(gate: Both, keys: Record<string, SigningKey>): Promise<void> {
  let accepted = 0;
  for (const { what, token, user } of crossings(gate, keys)) {
    const { status, body } = await gate.call(token);
    assert.equal(status, user === undefined ? 401 : 200, what);
    assert.equal((body['user'] as { oid: string } | undefined)?.oid, user, what);
    accepted += Number(user !== undefined);
  }
  assert.equal(accepted, 10);
}

test('nothing of one tenant vouches for a token of the other: tenant, key, issuer, audience, owner claim', async (t) => {
  const gate = await startBoth(t);
  const [own, other] = [gate.b2c.key, gate.externalId.key];

  await assertCrossings(gate, {
    b2c: own,
    'external-id': other,
    'b2c under the id of external-id': { ...own, kid: other.kid },
    'external-id under the id of b2c': { ...other, kid: own.kid },
    stranger: signingKey('stranger'),
  });
});

test('nor when both tenants publish their keys under the same id', async (t) => {
  const [b2c, externalId] = [await startTenant(t), await startTenant(t, { kind: 'external-id' })];
  externalId.key = { ...externalId.key, kid: b2c.key.kid };
  externalId.publishedKeys = [externalId.key];
  const gate = { ...(await startGate(t, { tenant: b2c, externalId, env: OWNER_ENV })), b2c, externalId };

  await assertCrossings(gate, { b2c: b2c.key, 'external-id': externalId.key });
});

test('neither B2C_ISSUER with the issuer of External ID nor B2C_VALIDATE_ISSUER=false makes B2C judge its tokens', async (t) => {
  const externalId = await startTenant(t, { kind: 'external-id' });
  for (const env of [{ B2C_ISSUER: externalId.issuer }, { B2C_VALIDATE_ISSUER: 'false' }]) {
    const b2c = await startTenant(t);
    const gate = await startGate(t, { tenant: b2c, externalId, env });

    assert.equal((await gate.call(b2c.issueToken({ iss: externalId.issuer }))).status, 401);
    assert.equal((await gate.call(externalId.issueToken())).status, 200);
    assert.equal((await gate.call(b2c.issueToken())).status, 200);
  }
});

const owners: Record<string, [claim: unknown, owner: string | undefined]> = {
  'is absent': [undefined, 'new-id'],
  'is null': [null, 'new-id'],
  'is empty': ['', 'new-id'],
  'is a text': ['alice', 'alice'],
  'is a GUID in capitals': ['1558F87F-452B-4757-BCD1-883ABCDEF012', '1558f87f-452b-4757-bcd1-883abcdef012'],
  'is blank': ['  ', undefined],
  'is a number': [7, undefined],
  'is false': [false, undefined],
  'is a list': [['alice'], undefined],
  'is an operator': [{ $gt: '' }, undefined],
  'is endless': ['a'.repeat(257), undefined],
  'holds a NUL': ['alice\0', undefined],
  'is no text that a store keeps': ['alice\uD800', undefined],
};
for (const [what, [claim, owner]] of Object.entries(owners)) {
  test(`a token of External ID whose owner claim ${what} ${owner === undefined ? 'is refused' : `is ${owner}'s`}`, async (t) => {
    const gate = await startExternalId(t);

    const answer = await gate.call(gate.tenant.issueToken({ oid: 'new-id', [OWNER_CLAIM]: claim }));

    assert.equal(answer.status, owner === undefined ? 401 : 200);
    assert.equal((answer.body['user'] as { oid: string } | undefined)?.oid, owner);
    assert.deepEqual(gate.outcomes, [owner === undefined ? 'owner' : 'ok']);
  });
}

test('without EXTERNAL_ID_OWNER_CLAIM no claim but oid names an owner, and with it oid must be there all the same', async (t) => {
  const claims: TokenChanges = { oid: 'new-id', [OWNER_CLAIM]: 'alice', constructor: 'mallory' };
  const unset = await startExternalId(t, {});
  const odd = await startExternalId(t, { EXTERNAL_ID_OWNER_CLAIM: 'toString' });
  const set = await startExternalId(t);

  const ofUnset = await unset.call(unset.tenant.issueToken(claims));
  const ofOdd = await odd.call(odd.tenant.issueToken(claims));
  const withoutOid = await set.call(set.tenant.issueToken({ ...claims, oid: undefined }));

  for (const { body } of [ofUnset, ofOdd]) assert.deepEqual(body['user'], { oid: 'new-id', name: 'Alice' });
  assert.equal(withoutOid.status, 401);
  assert.deepEqual(set.outcomes, ['no_oid']);
});

test('the tid of a token must be the tenant of the issuer, whatever the case of its letters', async (t) => {
  const gate = await startExternalId(t);
  const { tenant } = gate;
  const other = 'ffffbbbb-0000-4ccc-8ddd-222200003333';

  assert.equal((await gate.call(tenant.issueToken({ tid: tenant.tenantId.toUpperCase() }))).status, 200);
  for (const tid of [other, undefined, null, '', 'v2.0', [tenant.tenantId], 7]) {
    const { status, body } = await gate.call(tenant.issueToken({ tid }));
    assert.equal(status, 401);
    assert.equal(body['message'], 'the token is from another tenant');
  }
});

test('a token that External ID issued to an application, not to a user, is refused with that reason', async (t) => {
  const gate = await startExternalId(t);
  const appOnly: TokenChanges[] = [
    { scp: undefined, roles: ['Tasks.All'] },
    { scp: undefined, oid: 'app', sub: 'app' },
    { idtyp: 'app' },
  ];

  for (const change of appOnly) {
    const { status, body } = await gate.call(gate.tenant.issueToken(change));
    assert.equal(status, 401);
    assert.match(String(body['message']), /issued to an application, not to a user/);
  }
  // A user may have roles too.
  assert.equal((await gate.call(gate.tenant.issueToken({ roles: ['editor'] }))).status, 200);
});

for (const down of ['b2c', 'external-id'] as const) {
  test(`while ${down} cannot be reached from the start, the other tenant's tokens are good and the server is ready`, async (t) => {
    const [b2c, externalId] = [await startTenant(t), await startTenant(t, { kind: 'external-id' })];
    const [lost, left] = down === 'b2c' ? [b2c, externalId] : [externalId, b2c];
    lost.break('down');
    const clock = movableClock();
    const gate = await startGate(t, { clock, tenant: b2c, externalId, isStarted: false });
    gate.authentication.keys.start();
    await until(() => gate.fetches.length === 2);

    assert.ok(gate.authentication.keys.isReady());
    assert.equal((await gate.call(left.issueToken())).status, 200);
    const refusal = await gate.call(lost.issueToken());
    assert.equal(refusal.status, 503);
    assert.equal(refusal.body['code'], 'TenantUnavailable');
    const label = down === 'b2c' ? 'b2c_1_susi' : down;
    assert.equal(gate.authentication.keys.policies().get(label), false);
    assert.ok(gate.logs.some((line) => line['msg'] === 'tenant keys not fetched' && line['policy'] === label));

    lost.heal();
    clock.advance(10_000);
    assert.equal((await gate.call(lost.issueToken())).status, 200);
  });
}
