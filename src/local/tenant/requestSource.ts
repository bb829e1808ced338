/**
 * Who sends a request. The developer's browser also shows other sites, which can send requests to the tenant just like an
 * app on this machine. No page can forge what the browser says about a request (Fetch Metadata, `Origin`, `Host`).
 */
import type { IncomingHttpHeaders } from 'node:http';

/** The address at which the Android emulator reaches the machine that it runs on. */
export const EMULATOR_HOST = '10.0.2.2';

/** This machine's names for itself, and for an emulator on it. */
const OWN_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]', EMULATOR_HOST];

/** Whether `Host` is the tenant's own. If another site's name resolves to here, the browser takes us for that site. */
export function isOwnHost(host: string | undefined, port: string): boolean {
  return OWN_NAMES.some((name) => host?.toLowerCase() === `${name}:${port}`);
}

/**
 * Whether the request is a navigation, as in every sign-in from a page or a mobile app (in MSAL's hidden frame, too).
 * Anything else is a script, which has no business at a sign-in page.
 */
export function isNavigation(headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode'];
  // Browsers older than Fetch Metadata send Origin with a script's request, but never with a GET that navigates.
  return (mode === undefined || mode === 'navigate') && headers.origin === undefined;
}

/**
 * Whether the request may say who signs in, as a button of the tenant's own page does. A link or a script of another page
 * may not, since nobody has agreed to anything there.
 *
 * A request without the header is not from a current browser: all have sent it to https since March 2023 (Safari 16.4 was
 * the last). Another page can navigate older ones here, but the code still goes only to this machine and no page can read
 * the answer. That leaves curl or the test of an app: a program, which could press the button just as well.
 */
export function mayNameUser(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  return site === undefined || site === 'same-origin';
}

/** A real tenant has a list of redirect URIs. Here, anything that cannot leave the machine will do (RFC 8252, section 7). */
export function isRegistered(uri: string): boolean {
  const url = URL.parse(uri);
  if (url === null || url.hash !== '' || url.username !== '') return false;
  if (['http:', 'https:'].includes(url.protocol)) return OWN_NAMES.includes(url.hostname);
  return !['javascript:', 'data:', 'blob:', 'file:', 'ftp:', 'ws:', 'wss:', 'about:'].includes(url.protocol);
}
