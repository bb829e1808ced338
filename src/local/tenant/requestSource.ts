/**
 * Who sends a request. The browser of whoever runs the tenant also shows pages of strangers, and those can address the
 * tenant as well as any app on this machine can. What a browser says of a request (Fetch Metadata, `Origin`, `Host`) no page
 * can forge.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** Under which address the Android emulator reaches the machine that it runs on. */
export const EMULATOR_HOST = '10.0.2.2';

/** Under which names this machine is reached from itself, and from an emulator on it. */
const OWN_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]', EMULATOR_HOST];

/** Whether `Host` is the tenant's own. To a browser, a stranger's name that is made to lead here is the stranger's page. */
export function isOwnHost(host: string | undefined, port: string): boolean {
  return OWN_NAMES.some((name) => host?.toLowerCase() === `${name}:${port}`);
}

/**
 * Whether a window goes there, as for every sign-in of a page or of a mobile app's browser session (MSAL's hidden frame, too).
 * Everything else is a script, which has no business at a sign-in page.
 */
export function isNavigation(headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode'];
  // Browsers from before Fetch Metadata still send Origin with a script's request, and never with a GET that navigates.
  return (mode === undefined || mode === 'navigate') && headers.origin === undefined;
}

/**
 * Whether the request may say who signs in: as a button of the tenant's own page does. A link or a script of another page
 * may not, since nobody has agreed to anything there.
 *
 * Without the header it is no page of a browser of today: every one has sent it to https since March 2023 (Safari 16.4 was
 * the last). Older ones can be sent here without being asked, but the code still goes to this machine alone and no page
 * can read the answer. What remains is curl or the test of an app: a program, which could press the button just as well.
 */
export function mayNameUser(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  return site === undefined || site === 'same-origin';
}

/** A real tenant has a list of redirect URIs. Here: what cannot leave the machine (RFC 8252, section 7). */
export function isRegistered(uri: string): boolean {
  const url = URL.parse(uri);
  if (url === null || url.hash !== '' || url.username !== '') return false;
  if (['http:', 'https:'].includes(url.protocol)) return OWN_NAMES.includes(url.hostname);
  return !['javascript:', 'data:', 'blob:', 'file:', 'ftp:', 'ws:', 'wss:', 'about:'].includes(url.protocol);
}
