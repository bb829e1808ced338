import { type Authority, authorityOf, type AuthoritySettings } from '../authority.ts';

/** Where readers of the page sign in, so that they can try things. */
export interface SignIn extends Authority {
  /** The application under which they do: a single-page one, to which this page is registered as a redirect URI. */
  readonly clientId: string;
}

/** Nothing without a client id of the page's own. */
export function signInOf(settings: AuthoritySettings & { docsClientId: string | undefined }): SignIn | undefined {
  const clientId = settings.docsClientId;
  const authority = clientId === undefined ? undefined : authorityOf(settings, clientId);
  return clientId === undefined || authority === undefined ? undefined : { clientId, ...authority };
}
