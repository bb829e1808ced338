import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Request } from 'restify';
import { clientAddress } from '../../src/http/clientAddress.ts';

const names: Record<string, string | undefined> = {
  '192.0.2.1': '192.0.2.1',
  '::ffff:192.0.2.1': '192.0.2.1',
  '::ffff:c000:0201': '192.0.2.1',
  '0:0:0:0:0:ffff:192.0.2.1': '192.0.2.1',
  '::1': '0:0:0:0::/64',
  '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
  '2001:0DB8:0001:0002::9': '2001:db8:1:2::/64',
  '2001:db8::9': '2001:db8:0:0::/64',
  'fe80::1%eth0': 'fe80:0:0:0::/64',
};
for (const [address, name] of Object.entries(names)) {
  test(`a client at ${address} is counted as ${name}`, () => {
    assert.equal(clientAddress(from(address), 0), name);
  });
}

test('a client whose connection is closed is counted with all others of whom nothing is known', () => {
  assert.equal(clientAddress(from(undefined), 0), 'unknown');
});

test('X-Forwarded-For has no effect unless the proxy is trusted', () => {
  assert.equal(clientAddress(from('192.0.2.1', '198.51.100.7'), 0), '192.0.2.1');
});

const forwarded: Record<string, string> = {
  '198.51.100.7': '198.51.100.7',
  'spoofed, 203.0.113.5,198.51.100.7 ': '198.51.100.7',
  '198.51.100.7:4711': '198.51.100.7',
  '[2001:db8:1:2::3]:4711': '2001:db8:1:2::/64',
  '2001:db8:1:2::3': '2001:db8:1:2::/64',
};
for (const [header, name] of Object.entries(forwarded)) {
  test(`behind a trusted proxy that wrote "${header}" the client is ${name}`, () => {
    assert.equal(clientAddress(from('192.0.2.1', header), 1), name);
  });
}

for (const header of [undefined, '', 'unknown', '198.51.100.7,', 'x'.repeat(10_000), '198.51.100.7, _hidden']) {
  test(`a trusted proxy is counted itself when its entry is ${String(header).slice(0, 30)}`, () => {
    assert.equal(clientAddress(from('192.0.2.1', header), 1), '192.0.2.1');
  });
}

function from(remoteAddress: string | undefined, forwardedFor?: string): Request {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  return { headers, socket: { remoteAddress } } as unknown as Request;
}

test('behind two proxies of ours the client is the second entry from the right, which the outer one wrote', () => {
  assert.equal(clientAddress(from('192.0.2.1', 'spoofed, 198.51.100.7, 203.0.113.5'), 2), '198.51.100.7');
  // A request that went around the outer proxy has fewer entries than there are proxies.
  assert.equal(clientAddress(from('192.0.2.1', '203.0.113.5'), 2), '192.0.2.1');
});
