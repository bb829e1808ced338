import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { TenantClient } from '../../src/auth/tenantClient.ts';
import { startTenant } from '../support/tenant.ts';

const NEVER = new AbortController().signal;

function startClient(t: TestContext, timeoutMs = 5_000) {
  const client = new TenantClient();
  t.after(() => client.close());
  return (url: string) => client.fetchKeySet(url, { timeoutMs, signal: NEVER });
}

test('issuer, keys and the time come from the tenant', async (t) => {
  const tenant = await startTenant(t);
  const fetchKeySet = startClient(t);

  const { issuer, keys, date } = await fetchKeySet(tenant.metadataUrl());

  assert.equal(issuer, tenant.issuer);
  assert.deepEqual([...keys.keys()], ['kid-first']);
  assert.ok(Math.abs(Date.parse(date ?? '') - Date.now()) < 5_000);
});

test('a redirect on the same host is followed', async (t) => {
  const tenant = await startTenant(t);
  tenant.redirectTo = '/moved/b2c_1_susi/v2.0/.well-known/openid-configuration';
  tenant.break('redirect');
  const fetchKeySet = startClient(t);

  const { issuer } = await fetchKeySet(tenant.metadataUrl());

  assert.equal(issuer, tenant.issuer);
});

const elsewhere: Record<string, string> = {
  'to another port': 'https://localhost:1/x/openid-configuration',
  'to another name of the same machine': 'https://127.0.0.1/x/openid-configuration',
  'to http': 'http://localhost/x/openid-configuration',
  'to a file': 'file:///etc/passwd',
  'to nowhere': '',
};
for (const [where, target] of Object.entries(elsewhere)) {
  test(`a redirect ${where} is not followed`, async (t) => {
    const tenant = await startTenant(t);
    tenant.redirectTo = target;
    tenant.break('redirect');
    const fetchKeySet = startClient(t);

    await assert.rejects(fetchKeySet(tenant.metadataUrl()), /redirects/);
  });
}

test('a circle of redirects is given up', async (t) => {
  const tenant = await startTenant(t);
  tenant.redirectTo = '?again/openid-configuration';
  tenant.break('redirect');
  const fetchKeySet = startClient(t);

  await assert.rejects(fetchKeySet(tenant.metadataUrl()), /too many times/);
  assert.equal(tenant.requests.metadata, 4);
});

test('metadata and keys share one time limit, which a steady drip of bytes does not extend', async (t) => {
  const tenant = await startTenant(t);
  tenant.break('drip', 'keys');
  const fetchKeySet = startClient(t, 300);

  await assert.rejects(fetchKeySet(tenant.metadataUrl()), /no complete answer within 300 ms/);
});

test('an endless answer is cut off', async (t) => {
  const tenant = await startTenant(t);
  tenant.break('huge', 'keys');
  const fetchKeySet = startClient(t);

  await assert.rejects(fetchKeySet(tenant.metadataUrl()), /more than 524288 bytes/);
});

test('a certificate that nobody vouches for is not trusted, whatever the environment says', async (t) => {
  const tenant = await startTenant(t);
  const fetchKeySet = startClient(t);
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  t.after(() => {
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  });

  // The certificate is good for localhost, not for this name.
  const url = tenant.metadataUrl().replace('localhost', '127.0.0.1');

  await assert.rejects(fetchKeySet(url), /altnames/);
});

test('HTTPS_PROXY leads to the tenant, and NO_PROXY around the proxy', async (t) => {
  const tenant = await startTenant(t);
  const { tunnels, url } = await startProxy(t, tenant.port);
  process.env['HTTPS_PROXY'] = url;
  t.after(() => {
    delete process.env['HTTPS_PROXY'];
    delete process.env['NO_PROXY'];
  });
  tenant.editMetadata = (document) => ({ ...document, jwks_uri: 'https://tenant.example/keys' });
  const fetchKeySet = startClient(t);

  const { keys } = await fetchKeySet('https://tenant.example/b2c_1_susi/openid-configuration');

  assert.equal(keys.size, 1);
  assert.ok(tunnels.length > 0 && tunnels.every((target) => target === 'tenant.example:443'));

  process.env['NO_PROXY'] = 'tenant.example';
  const count = tunnels.length;
  await assert.rejects(startClient(t)('https://tenant.example/b2c_1_susi/openid-configuration'));
  assert.equal(tunnels.length, count);
});

test('a tenant on this machine is never behind the proxy', async (t) => {
  const tenant = await startTenant(t);
  process.env['HTTPS_PROXY'] = 'http://127.0.0.1:1';
  t.after(() => {
    delete process.env['HTTPS_PROXY'];
  });

  const { keys } = await startClient(t)(tenant.metadataUrl());

  assert.equal(keys.size, 1);
});

test('a proxy variable that is no URL makes the fetch fail, and nothing else', async (t) => {
  process.env['HTTPS_PROXY'] = 'proxy:is:not:a:url';
  t.after(() => {
    delete process.env['HTTPS_PROXY'];
  });

  await assert.rejects(startClient(t)('https://tenant.example/openid-configuration'));
});

/** A proxy whose tunnels all end at that port of this machine, whatever is asked for. */
async function startProxy(t: TestContext, port: number): Promise<{ tunnels: string[]; url: string }> {
  const tunnels: string[] = [];
  const proxy = createServer();
  const sockets = new Set<Socket>();
  proxy.on('connect', (req: IncomingMessage, client: Socket) => {
    tunnels.push(req.url ?? '');
    const tenant = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      tenant.pipe(client).pipe(tenant);
    });
    for (const socket of [client, tenant]) socket.on('error', () => socket.destroy());
    sockets.add(client).add(tenant);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return { tunnels, url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
}
