/** Who is at the other end of a connection, for counting requests: one name for all the addresses that a client can choose. */
import { isIP, isIPv6 } from 'node:net';
import type { Request } from 'restify';

/** A closed connection or a Unix socket has no address. */
const UNKNOWN = 'unknown';

/**
 * An IPv4 address, or the /64 network of an IPv6 address: one subscriber has a whole /64 to choose addresses from.
 *
 * @param proxies of ours in front of this server: each appends the address that it saw to X-Forwarded-For, so the entry of
 * the outermost is that many from the right. The client can invent all entries before it. With 0 the header has no
 * effect.
 */
export function clientAddress(req: Request, proxies: number): string {
  const forwarded = proxies > 0 ? forwardedFor(req.headers['x-forwarded-for'], proxies) : undefined;
  return networkOf(forwarded ?? req.socket.remoteAddress) ?? UNKNOWN;
}

/** Undefined if the entry is not an address: then the proxy itself is counted. */
function forwardedFor(header: string | string[] | undefined, proxies: number): string | undefined {
  const entry = String(header ?? '')
    .split(',')
    .at(-proxies);
  const address = withoutPort(entry?.trim() ?? '');
  return isIP(address) === 0 ? undefined : address;
}

/** Some proxies also write the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(entry: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry;
}

function networkOf(address: string | undefined): string | undefined {
  if (address === undefined || !isIPv6(address)) return address;
  // The URL parser reads every form and returns the shortest (RFC 5952). It does not accept a zone (`%eth0`).
  const { hostname } = new URL(`http://[${address.replace(/%.*$/s, '')}]`);
  // RFC 4291, section 2.5.5.2: `::ffff:192.0.2.1`, how a dual-stack socket writes an IPv4 address.
  const [, ...halves] = /^\[::ffff:(\w+):(\w+)\]$/.exec(hostname) ?? [];
  if (halves.length > 0) return halves.flatMap(bytesOf).join('.');
  const [head = [], tail = []] = hostname.slice(1, -1).split('::').map(groupsOf);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
}

function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':');
}

function bytesOf(group: string): number[] {
  const number = parseInt(group, 16);
  return [number >> 8, number & 255];
}
