/** The guides of the page. */
import { MissingTaskError } from '../../errors.ts';
import { problemOf } from '../../http/answer.ts';
import type { SignIn } from '../authority.ts';
import { type ApiDocument, EXAMPLE_REQUEST, problems } from '../document.ts';
import { type Html, html, marked } from './html.ts';
import { taskMembers } from './members.ts';
import { SERVER } from './samples.ts';

/** A section of the page: where it is, and what it is called. */
export interface Section {
  id: string;
  title: string;
  content: Html;
}

export function guides(document: ApiDocument, signIn: SignIn | undefined): Section[] {
  return [start(), authentication(signIn), task(document), offline(), errors()];
}

/** The shortest way from nothing to a task. */
function start(): Section {
  const content = html`<p>
      Get an access token (see <a href="#authentication">signing in</a>), put it in <code>TOKEN</code>, then create a
      task and list your tasks. Every operation <a href="#operations">below</a> can be tried here, and has a sample in
      four languages.
    </p>
    <pre tabindex="0"><code>curl "${SERVER}/api/tasks" \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"Text": "Buy milk"}'

curl "${SERVER}/api/tasks" -H "Authorization: Bearer $TOKEN"</code></pre>
    <p>
      Bodies are JSON. Each answer names its request in <code>X-Request-Id</code>: quote it when you ask for help.
      <code>RateLimit-Remaining</code> says how many requests you may still send at once; one too many is answered
      <code>429</code> with <code>Retry-After</code>.
    </p>`;
  return { id: 'start', title: 'Start here', content };
}

/** How an app gets a token, and what it does when one is refused. */
function authentication(signIn: SignIn | undefined): Section {
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

/** What a task is made of, with the limits of each member. */
function task(document: ApiDocument): Section {
  const content = html`<p>
      A task is one JSON object. Send the members that you want to set; those that you leave out are what they are when
      absent. Unknown members are ignored, and so are those that the server sets.
    </p>
    ${taskMembers(document)}`;
  return { id: 'task', title: 'A task', content };
}

/** A client that keeps its own copy and works without a network: what to send, and what each answer means for the copy. */
function offline(): Section {
  const content = html`<p>
      Keep two things on the device: the tasks as you last saw them, and an outbox of what the user did since.
    </p>
    <h3>Read: only what changed</h3>
    <ol>
      <li>
        First <code>GET /api/tasks/changes</code>, without <code>since</code>: everything. Put <code>changed</code> into
        your copy by <code>_id</code>, and take out what <code>removed</code> lists.
      </li>
      <li>
        While <code>more</code> is true, go on at once with <code>since</code> set to the <code>next</code> of the last
        answer.
      </li>
      <li>
        Write <code>next</code> down together with the tasks, in one transaction. The next sync begins with it: nothing
        that was written is ever missed. A change may come twice, which does no harm to a copy that is keyed by
        <code>_id</code>.
      </li>
      <li>
        <code>410</code> <code>SyncTokenExpired</code> (after 30 days, or when data was restored or erased): begin again
        without <code>since</code>, and drop from your copy what does not come back.
      </li>
    </ol>
    <pre tabindex="0"><code>curl "${SERVER}/api/tasks/changes" -H "Authorization: Bearer $TOKEN"
curl "${SERVER}/api/tasks/changes?since=$NEXT" -H "Authorization: Bearer $TOKEN"</code></pre>
    <h3>Write: so that it can be repeated</h3>
    <p>On a bad network, a missing answer tells you nothing. Send each write in a form that may be sent again:</p>
    <ul>
      <li>
        Create: choose the id on the device (24 random hexadecimal digits) and send
        <code>PUT /api/tasks/&lt;id&gt;</code> with <code>If-None-Match: *</code>. <code>412</code> to a repeat means
        that it is there. Or <code>POST</code> with an <code>Idempotency-Key</code>, new for each task and the same for
        each repeat.
      </li>
      <li>
        Change: <code>PATCH</code> with <code>If-Match</code>, carrying the <code>ETag</code> of what the user saw.
        <code>412</code>: somebody, perhaps the same user’s other phone, was faster. Fetch the task, put the change on
        top or ask, and send it with the new tag.
      </li>
      <li>Delete: <code>404</code> to a repeat means that it is done.</li>
      <li>
        Send the whole outbox in one trip with <a href="#/Sync/Batch"><code>POST /api/batch</code></a
        >: up to 50 operations, done in order. Treat each result as if it had come alone; those answered
        <code>NotDone</code> stay in the outbox.
      </li>
    </ul>
    <pre tabindex="0"><code>curl -X PUT "${SERVER}/api/tasks/6742d0c4e1a2b3c4d5e6f708" \\
  -H "Authorization: Bearer $TOKEN" -H "If-None-Match: *" \\
  -H "Content-Type: application/json" -d '{"Text": "Buy milk"}'</code></pre>
    <h3>When it does not work</h3>
    <ul>
      <li>
        No answer, <code>429</code> or <code>503</code>: keep it in the outbox, wait (<code>Retry-After</code> where it
        came, else 1, 2, 4 … 60 seconds), and repeat.
      </li>
      <li><code>401</code>: get a new token, and repeat.</li>
      <li>
        Any other <code>4xx</code>: repeating it gets the same answer. Tell the user, and take it out of the outbox.
      </li>
    </ul>`;
  return { id: 'offline', title: 'Working offline', content };
}

/** Every `code`: when it comes, and what the server then says to do. */
function errors(): Section {
  const entries = [...problems.values()].map(({ when, example: { code, statusCode, message } }) => {
    return html`<dt id="${code}"><code>${code}</code> <span class="soft">${statusCode}</span></dt>
      <dd>${marked(when)}<br /><span class="soft">“${message}”</span></dd> `;
  });
  const example = problemOf(new MissingTaskError(), EXAMPLE_REQUEST);
  const content = html`<p>
      An error is <code>application/problem+json</code> (RFC 9457). Programs read <code>code</code>, which never
      changes; people read <code>message</code> (the same as <code>detail</code>), which says what to do.
      <code>/tasks</code>, for the first clients, sends the message alone, as plain text.
    </p>
    <pre tabindex="0"><code>${JSON.stringify(example, null, 2)}</code></pre>
    <dl class="entries">${entries}</dl>`;
  return { id: 'errors', title: 'Errors', content };
}
