import type { Section } from '../contents.ts';
import { type Html, html } from '../html.ts';
import type { SignIn } from '../signIn.ts';

/** How an app gets a token, and what it does when one is refused. */
export function authentication(signIn: SignIn | undefined): Section {
  const content = html`<p>
      Every request to <code>/api/…</code>, <code>/tasks</code> and <code>/hello</code> carries an access token in the
      header <code>Authorization: Bearer …</code>, and nowhere else. The token says whose tasks they are, so no call
      names a user.
    </p>
    <p>
      Apps get the token from the identity provider with the authorization code flow and PKCE. Leave that to a library:
      MSAL for
      <a href="https://github.com/AzureAD/microsoft-authentication-library-for-objc" rel="noreferrer">iOS</a>,
      <a href="https://github.com/AzureAD/microsoft-authentication-library-for-android" rel="noreferrer">Android</a> and
      <a href="https://github.com/AzureAD/microsoft-authentication-library-for-js" rel="noreferrer">JavaScript</a>, or
      AppAuth.
    </p>
    ${signIn && endpoints(signIn)}
    <ul>
      <li>
        Ask the library for a token before each request (<code>acquireTokenSilent</code>): it keeps the token, and
        renews it before it expires.
      </li>
      <li>
        <code>401</code>: the token is missing, expired or not good here; <code>WWW-Authenticate</code> says what is
        wrong with it. Get a new one and repeat the request once. If that is refused too, let the user sign in again.
      </li>
      <li>
        <code>403</code>: the token is good, but a scope is missing (<code>InsufficientScope</code> names it), or this
        service knows only users that its operator has added (<code>NotRegistered</code>). A new token does not help.
      </li>
      <li>
        <code>503</code> <code>TenantUnavailable</code>: the token could not be checked just now. Keep it, wait for
        <code>Retry-After</code>, repeat.
      </li>
    </ul>
    <p>
      To try things on this page, sign in at its top, or paste a token there. The token stays in this tab, and is sent
      to this server alone.
    </p>`;
  return { id: 'authentication', title: 'Signing in', content };
}

function endpoints({ metadataUrl, scopes }: SignIn): Html {
  return html`<dl class="entries">
    <dt>The tenant’s metadata, which names its endpoints</dt>
    <dd><a href="${metadataUrl}" rel="noreferrer">${metadataUrl}</a></dd>
    <dt>Scopes to ask for</dt>
    <dd>${scopes.map((scope) => html`<code>${scope}</code> `)}</dd>
  </dl>`;
}
