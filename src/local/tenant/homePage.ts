import { quote, type Sample } from '../hints.ts';
import { pathOf } from './address.ts';
import { type Authority, b2c, externalId } from './authority.ts';
import { CLIENT_ID, EXTERNAL_CLIENT_ID, OWNER_CLAIM, POLICIES, SCOPES, TENANT_NAME } from './identity.ts';
import { escape, page } from './pages.ts';
import { EMULATOR_HOST } from './requestSource.ts';

/** What the page says of the API. */
export interface ApiFacts {
  url: string;
  /** For pasting into a shell. */
  samples: readonly Sample[];
}

interface HomeParts {
  origin: string;
  certificatePath: string;
  api: ApiFacts;
}

const [POLICY] = POLICIES;

/** All that an app needs to know to sign in here. */
export function homePage({ origin, certificatePath, api }: HomeParts): string {
  const { host } = new URL(origin);
  // A PORT or HOST that cannot be used makes no URL: the API refuses it, and says what is expected.
  const apiPort = URL.parse(api.url)?.port || '80';
  const scopes = scopesOf(b2c(POLICY));
  return page(
    'The development tenant',
    `<p>Issues tokens like those of Azure AD B2C and of Entra External ID to apps on this machine, for the API at
<a href="${escape(api.url)}/docs">${escape(api.url)}</a>. There are no passwords: sign-in only asks for a name.</p>
${table([
  ...POLICIES.map((policy) => [`Authority, ${policy}`, `${origin}/${TENANT_NAME}/${policy}`] as const),
  ['knownAuthorities', host],
  ['Client id', CLIENT_ID],
  ['Scopes', [...scopes, CLIENT_ID].join('  ')],
  [
    'Redirect URI',
    `a page on localhost, 127.0.0.1 or ${EMULATOR_HOST}, any port; or a scheme of the app's own, such as msal${CLIENT_ID}://auth`,
  ],
  ['Flow', 'authorization code with PKCE (S256)'],
  ['Metadata', origin + pathOf({ path: `${TENANT_NAME}/${POLICY}` }, 'metadata')],
])}
<h2>Trust its certificate</h2>
<p>It is self-signed: <a href="/certificate.pem">certificate.pem</a>, in <code>${escape(certificatePath)}</code>. Whoever trusts it
trusts only this one server. It is valid for a year; a start in its last 30 days renews it.</p>
${snippet('Node, Python, curl', [
  `export NODE_EXTRA_CA_CERTS=${quote(certificatePath)}`,
  `export REQUESTS_CA_BUNDLE=${quote(certificatePath)}`,
  `curl --cacert ${quote(certificatePath)} ${origin}${pathOf({ path: `${TENANT_NAME}/${POLICY}` }, 'metadata')}`,
])}
${snippet('iOS simulator: trust it once; the simulator reaches this machine as localhost', [
  `xcrun simctl keychain booted add-root-cert ${quote(certificatePath)}`,
])}
${snippet('Android emulator or device: forward its localhost to this machine (after each start of the device)', [
  `adb reverse tcp:${new URL(origin).port} tcp:${new URL(origin).port}`,
  `adb reverse tcp:${apiPort} tcp:${apiPort}`,
])}
<p>Without <code>adb reverse</code>, the emulator reaches this machine as <code>${EMULATOR_HOST}</code>, and the authority is
<code>https://${EMULATOR_HOST}:${new URL(origin).port}/${TENANT_NAME}/${POLICY}</code>; its tokens still name ${escape(origin)} as issuer.
Android's settings accept only certificates of an authority, so debug builds of the app trust this one themselves: put it
into <code>res/raw/tasksdev.pem</code> and name it in the file of <code>android:networkSecurityConfig</code>. The browser that signs in warns
once: choose Advanced, Proceed.</p>
${snippet('res/xml/network_security_config.xml', [
  '<network-security-config>',
  '  <debug-overrides><trust-anchors><certificates src="@raw/tasksdev"/></trust-anchors></debug-overrides>',
  '  <domain-config cleartextTrafficPermitted="true"><domain>localhost</domain><domain>10.0.2.2</domain></domain-config>',
  '</network-security-config>',
])}
<p>Any other browser warns once as well: open this page in it first, so that the warning does not block silent sign-in in a hidden frame.</p>
<h2>MSAL</h2>
${snippet('JavaScript (@azure/msal-browser, @azure/msal-node)', javascript(origin, host, scopes))}
${snippet('iOS (Swift)', swift(origin, scopes))}
${snippet('Android (res/raw/auth_config.json, then scopes in code)', android(origin, scopes))}
<h2>curl</h2>
${api.samples.map(([title, lines]) => snippet(title, lines)).join('\n')}
<h2>Entra External ID</h2>
<p>A second tenant, with its own keys, ids and object ids, to try a migration. Its tokens carry the user's B2C object id in the
claim <code>${OWNER_CLAIM}</code>: sign in as Alice at both tenants, and the tasks are the same.</p>
${table([
  ['Authority', `${origin}/${externalId.path}`],
  ['Client id', EXTERNAL_CLIENT_ID],
  ['Scopes', scopesOf(externalId).join('  ')],
  ['Metadata', origin + pathOf(externalId, 'metadata')],
])}
${snippet('A token of a user who was moved from B2C', ['npm run -s token -- --external --oid new-alice --b2c-oid alice'])}`,
  );
}

function scopesOf({ scopePrefix }: Authority): string[] {
  return SCOPES.map((name) => scopePrefix + name);
}

function javascript(origin: string, host: string, scopes: string[]): string[] {
  return [
    'new PublicClientApplication({',
    '  auth: {',
    `    clientId: '${CLIENT_ID}',`,
    `    authority: '${origin}/${TENANT_NAME}/${POLICY}',`,
    `    knownAuthorities: ['${host}'],`,
    '  },',
    '});',
    `const scopes = [${scopes.map((scope) => `'${scope}'`).join(', ')}];`,
  ];
}

function swift(origin: string, scopes: string[]): string[] {
  return [
    `let authority = try MSALB2CAuthority(url: URL(string: "${origin}/tfp/${TENANT_NAME}/${POLICY}")!)`,
    `let config = MSALPublicClientApplicationConfig(clientId: "${CLIENT_ID}", redirectUri: "msal${CLIENT_ID}://auth", authority: authority)`,
    'config.knownAuthorities = [authority]',
    `let scopes = [${scopes.map((scope) => `"${scope}"`).join(', ')}]`,
  ];
}

function android(origin: string, scopes: string[]): string[] {
  const config = {
    client_id: CLIENT_ID,
    redirect_uri: `msal${CLIENT_ID}://auth`,
    account_mode: 'SINGLE',
    authorities: [{ type: 'B2C', authority_url: `${origin}/tfp/${TENANT_NAME}/${POLICY}/`, default: true }],
  };
  return [
    ...JSON.stringify(config, null, 2).split('\n'),
    '',
    `val scopes = listOf(${scopes.map((scope) => `"${scope}"`).join(', ')})`,
  ];
}

function table(rows: readonly (readonly [name: string, value: string])[]): string {
  const lines = rows.map(([name, value]) => `<tr><th scope="row">${escape(name)}<td><code>${escape(value)}</code>`);
  return `<table>\n${lines.join('\n')}\n</table>`;
}

function snippet(title: string, lines: readonly string[]): string {
  return `<p>${escape(title)}</p>\n<pre tabindex="0">${lines.map(escape).join('\n')}</pre>`;
}
