import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectProblem } from '../support/client.ts';
import { startServer } from '../support/server.ts';

const EXPOSED =
  'ETag, Link, Location, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, WWW-Authenticate, X-Request-Id';

test('a browser may ask before it sends, without a token', async (t) => {
  const { anonymous } = await startServer(t);

  const response = await anonymous.request('OPTIONS', '/api/tasks', {
    headers: {
      Origin: 'https://app.example.com',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,content-type',
    },
  });

  assert.equal(response.status, 204);
  assert.equal(await response.text(), '');
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  assert.equal(response.headers.get('access-control-allow-headers'), 'authorization,content-type');
  assert.deepEqual(response.headers.get('allow')?.split(', ').sort(), ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST']);
  assert.equal(response.headers.get('access-control-allow-methods'), response.headers.get('allow'));
});

const asked: Record<string, string | null> = {
  'traceparent, request-id, baggage, x-request-id, cache-control':
    'traceparent, request-id, baggage, x-request-id, cache-control',
  ' X-Anything ': 'X-Anything',
  'a b': null,
  'a,,b': null,
  'a\u00e9': null,
  [`a,${'b'.repeat(10_000)}`]: null,
};
for (const [names, granted] of Object.entries(asked)) {
  test(`a preflight for "${names.slice(0, 70)}" is granted ${granted === null ? 'nothing' : 'all of it'}`, async (t) => {
    const { anonymous } = await startServer(t);

    const { headers } = await anonymous.request('OPTIONS', '/api/tasks', {
      headers: { Origin: 'https://app.example.com', 'Access-Control-Request-Headers': names },
    });

    assert.equal(headers.get('access-control-allow-headers'), granted);
  });
}

test('metrics are for no script of another origin, and a stranger is granted nothing', async (t) => {
  const { anonymous } = await startServer(t, { env: { CORS_ORIGINS: 'https://a.example' } });
  const preflight = (path: string, origin: string): Promise<Response> =>
    anonymous.request('OPTIONS', path, {
      headers: { Origin: origin, 'Access-Control-Request-Headers': 'authorization' },
    });

  const answers = [
    await anonymous.get('/metrics', { Origin: 'https://a.example' }),
    await preflight('/metrics', 'https://a.example'),
    // The same path (RFC 3986, section 6.2.2.2).
    await anonymous.get('/%6detrics', { Origin: 'https://a.example' }),
    await anonymous.get('/metric%73/', { Origin: 'https://a.example' }),
    await preflight('/api/tasks', 'https://b.example'),
  ];

  for (const { headers } of answers) {
    assert.deepEqual(
      [...headers.keys()].filter((name) => name.startsWith('access-control')),
      [],
    );
  }
});

test('OPTIONS is answered on every mounted path, and 404 on others', async (t) => {
  const { anonymous, app } = await startServer(t);
  const paths = new Set(app.operations.map(({ path }) => path));

  for (const path of paths) {
    const concrete = path.replace(/:id(\([^/]*\))?/, 'a'.repeat(24)).replace(/:\w+(\([^/]*\))?/g, 'x');
    const response = await anonymous.request('OPTIONS', concrete);
    assert.equal(response.status, 204, concrete);
    assert.match(response.headers.get('allow') ?? '', /OPTIONS/);
  }
  await expectProblem(await anonymous.request('OPTIONS', '/nothing'), 404, 'ResourceNotFound');
});

test('errors can be read across origins too', async (t) => {
  const { anonymous } = await startServer(t);

  const response = await anonymous.get('/api/tasks', { Origin: 'https://app.example.com' });

  await expectProblem(response, 401, 'Unauthorized');
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  assert.equal(response.headers.get('access-control-expose-headers'), EXPOSED);
});

test('with origins configured, only they are allowed', async (t) => {
  const { anonymous } = await startServer(t, { env: { CORS_ORIGINS: 'https://a.example, https://b.example' } });

  const allowed = await anonymous.get('/', { Origin: 'https://b.example' });
  const stranger = await anonymous.get('/', { Origin: 'https://c.example' });

  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://b.example');
  assert.equal(stranger.headers.get('access-control-allow-origin'), null);
  for (const { headers } of [allowed, stranger]) assert.match(headers.get('vary') ?? '', /\bOrigin\b/);
});
