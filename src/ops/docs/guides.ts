/** The guides of the page. */
import { MissingTaskError } from '../../errors.ts';
import { problemOf } from '../../http/answer.ts';
import type { SignIn } from '../authority.ts';
import { type ApiDocument, EXAMPLE_REQUEST, problems } from '../document.ts';
import { type Html, html, marked, prose, sample } from './html.ts';
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
  const content = prose(
    'Get an access token (see [signing in](#authentication)), put it in `TOKEN`, then create a task and list your tasks. ' +
      'Every operation [below](#operations) can be tried here, and has a sample in four languages.',
    sample(`curl "${SERVER}/api/tasks" \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"Text": "Buy milk"}'

curl "${SERVER}/api/tasks" -H "Authorization: Bearer $TOKEN"`),
    'Bodies are JSON. Each answer names its request in `X-Request-Id`: quote it when you ask for help. ' +
      '`RateLimit-Remaining` says how many requests you may still send at once; one too many is answered `429` with ' +
      '`Retry-After`.',
  );
  return { id: 'start', title: 'Start here', content };
}

const MSAL = 'https://github.com/AzureAD/microsoft-authentication-library-for';

/** How an app gets a token, and what it does when one is refused. */
function authentication(signIn: SignIn | undefined): Section {
  const content = prose(
    'Every request to `/api/…`, `/tasks` and `/hello` carries an access token in the header `Authorization: Bearer …`, and ' +
      'nowhere else. The token says whose tasks they are, so no call names a user.',
    'Apps get the token from the identity provider with the authorization code flow and PKCE. Leave that to a library: MSAL ' +
      `for [iOS](${MSAL}-objc), [Android](${MSAL}-android) and [JavaScript](${MSAL}-js), or AppAuth.`,
    ...(signIn === undefined ? [] : [endpoints(signIn)]),
    [
      'Ask the library for a token before each request (`acquireTokenSilent`): it keeps the token, and renews it before it ' +
        'expires.',
      '`401`: the token is missing, expired or not good here; `WWW-Authenticate` says what is wrong with it. Get a new one ' +
        'and repeat the request once. If that is refused too, let the user sign in again.',
      '`403`: the token is good, but a scope is missing (`InsufficientScope` names it), or this service knows only users ' +
        'that its operator has added (`NotRegistered`). A new token does not help.',
      '`503` `TenantUnavailable`: the token could not be checked just now. Keep it, wait for `Retry-After`, repeat.',
    ],
    'To try things on this page, sign in at its top, or paste a token there. The token stays in this tab, and is sent to ' +
      'this server alone.',
  );
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
  const content = prose(
    'A task is one JSON object. Send the members that you want to set; those that you leave out are what they are when ' +
      'absent. Unknown members are ignored, and so are those that the server sets.',
    taskMembers(document),
  );
  return { id: 'task', title: 'A task', content };
}

/** A client that keeps its own copy and works without a network: what to send, and what each answer means for the copy. */
function offline(): Section {
  const content = prose(
    'Keep two things on the device: the tasks as you last saw them, and an outbox of what the user did since.',
    html`<h3>Read: only what changed</h3>`,
    [
      'First `GET /api/tasks/changes`, without `since`: everything. Put `changed` into your copy by `_id`, and take out what ' +
        '`removed` lists.',
      'While `more` is true, go on at once with `since` set to the `next` of the last answer.',
      'Write `next` down together with the tasks, in one transaction. The next sync begins with it: nothing that was written ' +
        'is ever missed. A change may come twice, which does no harm to a copy that is keyed by `_id`.',
      '`410` `SyncTokenExpired` (after 30 days, or when data was restored or erased): begin again without `since`, and drop ' +
        'from your copy what does not come back.',
    ],
    sample(`curl "${SERVER}/api/tasks/changes" -H "Authorization: Bearer $TOKEN"
curl "${SERVER}/api/tasks/changes?since=$NEXT" -H "Authorization: Bearer $TOKEN"`),
    html`<h3>Write: so that it can be repeated</h3>`,
    'On a bad network, a missing answer tells you nothing. Send each write in a form that may be sent again:',
    [
      'Create: choose the id on the device (24 random hexadecimal digits) and send `PUT /api/tasks/<id>` with ' +
        '`If-None-Match: *`. `412` to a repeat means that it is there. Or `POST` with an `Idempotency-Key`, new for each task ' +
        'and the same for each repeat.',
      'Change: `PATCH` with `If-Match`, carrying the `ETag` of what the user saw. `412`: somebody, perhaps the same user’s ' +
        'other phone, was faster. Fetch the task, put the change on top or ask, and send it with the new tag.',
      'Delete: `404` to a repeat means that it is done.',
      'Send the whole outbox in one trip with [`POST /api/batch`](#/Sync/Batch): up to 50 operations, done in order. Treat ' +
        'each result as if it had come alone; those answered `NotDone` stay in the outbox.',
    ],
    sample(`curl -X PUT "${SERVER}/api/tasks/6742d0c4e1a2b3c4d5e6f708" \\
  -H "Authorization: Bearer $TOKEN" -H "If-None-Match: *" \\
  -H "Content-Type: application/json" -d '{"Text": "Buy milk"}'`),
    html`<h3>When it does not work</h3>`,
    [
      'No answer, `429` or `503`: keep it in the outbox, wait (`Retry-After` where it came, else 1, 2, 4 … 60 seconds), and ' +
        'repeat.',
      '`401`: get a new token, and repeat.',
      'Any other `4xx`: repeating it gets the same answer. Tell the user, and take it out of the outbox.',
    ],
  );
  return { id: 'offline', title: 'Working offline', content };
}

/** Every `code`: when it comes, and what the server then says to do. */
function errors(): Section {
  const entries = [...problems.values()].map(
    ({ when, example: { code, statusCode, message } }) =>
      html`<dt id="${code}"><code>${code}</code> <span class="soft">${statusCode}</span></dt>
        <dd>${marked(when)}<br /><span class="soft">“${message}”</span></dd> `,
  );
  const content = prose(
    'An error is `application/problem+json` (RFC 9457). Programs read `code`, which never changes; people read `message` ' +
      '(the same as `detail`), which says what to do. `/tasks`, for the first clients, sends the message alone, as plain text.',
    sample(JSON.stringify(problemOf(new MissingTaskError(), EXAMPLE_REQUEST), null, 2)),
    html`<dl class="entries">${entries}</dl>`,
  );
  return { id: 'errors', title: 'Errors', content };
}
