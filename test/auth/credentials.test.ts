import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, startGate } from './gate.ts';

const BARE = 'Bearer realm="Users"';
const SHAPE = 'the Authorization header must be the word Bearer, one space and the token';
const IN_QUERY = 'the token belongs in the Authorization header, not in the query';
const IN_BODY = 'the token belongs in the Authorization header, not in the body';
const TWO = 'there is more than one Authorization header';

const malformed: Record<string, (token: string) => string> = {
  'is empty': () => '',
  'is the scheme alone': () => 'Bearer',
  'is the token alone': (token) => token,
  'has two spaces': (token) => `Bearer  ${token}`,
  'has a tab': (token) => `Bearer\t${token}`,
  'has a comma': (token) => `Bearer ${token},`,
  'has two tokens': (token) => `Bearer ${token} ${token}`,
  'has two tokens in a list': (token) => `Bearer ${token}, Bearer ${token}`,
  'quotes the token': (token) => `Bearer "${token}"`,
  'has a parameter': (token) => `Bearer token=${token}`,
  'has an odd character': (token) => `Bearer ${token}\u00fc`,
  'has a colon after the scheme': (token) => `Bearer: ${token}`,
  'runs scheme and token together': (token) => `Bearer${token}`,
};
for (const [what, header] of Object.entries(malformed)) {
  test(`an Authorization header that ${what} is a bad request`, async (t) => {
    const gate = await startGate(t);

    const answer = await gate.call(['Authorization', header(gate.tenant.issueToken())]);

    assert.equal(answer.status, 400);
    assert.equal(answer.challenge, `${BARE}, error="invalid_request", error_description="${SHAPE}"`);
    assert.equal(answer.body['code'], 'InvalidRequest');
    assert.deepEqual(gate.outcomes, ['invalid_request']);
  });
}

test('two Authorization headers are a bad request, even when they are the same', async (t) => {
  const gate = await startGate(t);
  const header = `Bearer ${gate.tenant.issueToken()}`;

  const same = await gate.call(['Authorization', header, 'Authorization', header]);
  const other = await gate.call(['Authorization', header, 'authorization', 'Basic YTpi']);

  for (const answer of [same, other]) {
    assert.equal(answer.status, 400);
    assert.equal(answer.challenge, `${BARE}, error="invalid_request", error_description="${TWO}"`);
  }
});

for (const scheme of ['bearer', 'BEARER', 'bEaReR']) {
  test(`the scheme may be written ${scheme}`, async (t) => {
    const gate = await startGate(t);

    const answer = await gate.call(['Authorization', `${scheme} ${gate.tenant.issueToken()}`]);

    assert.equal(answer.status, 200);
  });
}

test('a request without a token gets the bare challenge', async (t) => {
  const gate = await startGate(t);

  const answer = await gate.call();

  assert.equal(answer.status, 401);
  assert.equal(answer.challenge, BARE);
  assert.equal(answer.body['code'], 'Unauthorized');
  assert.deepEqual(gate.outcomes, ['no_token']);
});

test('a request with credentials of another scheme gets the bare challenge', async (t) => {
  const gate = await startGate(t);

  const answer = await gate.call(['Authorization', 'Basic YWxpY2U6c2VjcmV0']);

  assert.equal(answer.status, 401);
  assert.equal(answer.challenge, BARE);
});

for (const query of ['access_token=', 'access%5ftoken=', 'limit=1&%61ccess%5Ftoken=', 'access_token']) {
  test(`a token in the query (${query}…) is a bad request, with and without one in the header`, async (t) => {
    const gate = await startGate(t);
    const token = gate.tenant.issueToken();
    const path = query.endsWith('=') ? `/me?${query}${token}` : `/me?${query}`;

    const answers = [await gate.call(undefined, path), await gate.call(token, path)];

    for (const answer of answers) {
      assert.equal(answer.status, 400);
      assert.equal(answer.challenge, `${BARE}, error="invalid_request", error_description="${IN_QUERY}"`);
    }
  });
}

test('another query parameter does no harm', async (t) => {
  const gate = await startGate(t);

  const answer = await gate.call(gate.tenant.issueToken(), '/me?q=access_token');

  assert.equal(answer.status, 200);
});

test('a token in the body beside the one in the header is a bad request', async (t) => {
  const gate = await startGate(t);
  const token = gate.tenant.issueToken();

  const answer = await call(`${gate.url}/body`, token, JSON.stringify({ access_token: token }));

  assert.equal(answer.status, 400);
  assert.equal(answer.challenge, `${BARE}, error="invalid_request", error_description="${IN_BODY}"`);
  assert.deepEqual(gate.outcomes, ['ok', 'invalid_request']);
});

test('a token in the body alone is not looked for', async (t) => {
  const gate = await startGate(t);

  const answer = await call(`${gate.url}/body`, undefined, JSON.stringify({ access_token: gate.tenant.issueToken() }));

  assert.equal(answer.status, 401);
  assert.equal(answer.challenge, BARE);
});

test('a body without a token does no harm', async (t) => {
  const gate = await startGate(t);

  const answer = await call(`${gate.url}/body`, gate.tenant.issueToken(), JSON.stringify({ Text: 'access_token' }));

  assert.equal(answer.status, 200);
});
