/** The guides of the page. */
import { MissingTaskError } from '../../errors.ts';
import { problemOf } from '../../http/answer.ts';
import type { SignIn } from '../authority.ts';
import { type ApiDocument, EXAMPLE_REQUEST, problems } from '../document.ts';
import { type Html, html, marked, prose, sample } from './html.ts';
import { taskMembers } from './members.ts';
import { SERVER } from './samples.ts';

/** A section of the page. */
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
    'Bodies are JSON. Each answer has an `X-Request-Id`: quote it when you ask for help. ' +
      '`RateLimit-Remaining` says how many requests you may still send at once; beyond that you get `429` with ' +
      '`Retry-After`.',
  );
  return { id: 'start', title: 'Start here', content };
}

const MSAL = 'https://github.com/AzureAD/microsoft-authentication-library-for';

/** How an app gets a token, and what to do when it is refused. */
function authentication(signIn: SignIn | undefined): Section {
  const content = prose(
    'Every request to `/api/…`, `/tasks` and `/hello` carries an access token in the `Authorization: Bearer …` header, and ' +
      'nowhere else. The token says whose tasks they are, so no request names a user.',
    'Apps get the token from the identity provider with the authorization code flow and PKCE. Leave that to a library: MSAL ' +
      `for [iOS](${MSAL}-objc), [Android](${MSAL}-android) and [JavaScript](${MSAL}-js), or AppAuth.`,
    ...(signIn === undefined ? [] : [endpoints(signIn)]),
    [
      'Ask the library for a token before each request (`acquireTokenSilent`): it keeps the token, and renews it before it ' +
        'expires.',
      '`401`: the token is missing, expired or not valid here; `WWW-Authenticate` says what is wrong. Get a new one and ' +
        'repeat the request once. If that is refused too, have the user sign in again.',
      '`403`: the token is valid, but a scope is missing (`InsufficientScope` names it), or this service accepts only users ' +
        'whom its operator has added (`NotRegistered`). A new token does not help.',
      '`503` `TenantUnavailable`: the token could not be checked just now. Keep it, wait for `Retry-After`, repeat.',
    ],
    'To try calls on this page, sign in at the top, or paste a token there. The token stays in this tab and is sent only to ' +
      'this server.',
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
    'A task is one JSON object. Send the members that you want to set; those that you omit get their defaults. Unknown ' +
      'members are ignored, and so are those that the server sets.',
    taskMembers(document),
  );
  return { id: 'task', title: 'A task', content };
}

/** For clients that work offline: what to send, and what each answer means for their copy. */
function offline(): Section {
  const content = prose(
    'Keep two things on the device: a copy of the tasks as you last saw them, and an outbox of what the user has done since.',
    html`<h3>Read: only what changed</h3>`,
    [
      'First `GET /api/tasks/changes` without `since`, to get everything. Put `changed` into your copy by `_id`, and delete ' +
        'what `removed` lists.',
      'While `more` is true, ask again at once with `since` set to the `next` of the last answer.',
      'Store `next` together with the tasks, in one transaction, and start the next sync from it. No write is ever missed. A ' +
        'change may come twice, which does no harm to a copy keyed by `_id`.',
      '`410` `SyncTokenExpired` (after 30 days, or when data was restored or erased): start again without `since`, and drop ' +
        'from your copy what does not come back.',
    ],
    sample(`curl "${SERVER}/api/tasks/changes" -H "Authorization: Bearer $TOKEN"
curl "${SERVER}/api/tasks/changes?since=$NEXT" -H "Authorization: Bearer $TOKEN"`),
    html`<h3>Write: in a form that can be repeated</h3>`,
    'On a bad network, a missing answer tells you nothing. Send each write in a form that you can safely repeat:',
    [
      'Create: choose the id on the device (24 random hexadecimal digits) and send `PUT /api/tasks/<id>` with ' +
        '`If-None-Match: *`. `412` to a repeat means that it exists. Or `POST` with an `Idempotency-Key`, new for each task ' +
        'and the same for each repeat.',
      'Change: `PATCH` with `If-Match` and the `ETag` of what the user saw. `412`: someone else, perhaps the same user’s ' +
        'other phone, was faster. Fetch the task, reapply the change or ask, and send it with the new tag.',
      'Delete: `404` to a repeat means that it is done.',
      'Send the whole outbox in one trip with [`POST /api/batch`](#/Sync/Batch): up to 50 operations, done in order. Treat ' +
        'each result as if it had come alone; those with `NotDone` stay in the outbox.',
    ],
    sample(`curl -X PUT "${SERVER}/api/tasks/6742d0c4e1a2b3c4d5e6f708" \\
  -H "Authorization: Bearer $TOKEN" -H "If-None-Match: *" \\
  -H "Content-Type: application/json" -d '{"Text": "Buy milk"}'`),
    html`<h3>When it fails</h3>`,
    [
      'No answer, `429` or `503`: keep it in the outbox, wait (as long as `Retry-After` says, else 1, 2, 4 … 60 seconds), ' +
        'and repeat.',
      '`401`: get a new token and repeat.',
      'Any other `4xx`: a repeat gets the same answer. Tell the user, and take it out of the outbox.',
    ],
  );
  return { id: 'offline', title: 'Working offline', content };
}

/** Every `code`: when it occurs, and the message with it. */
function errors(): Section {
  const entries = [...problems.values()].map(
    ({ when, example: { code, statusCode, message } }) =>
      html`<dt id="${code}"><code>${code}</code> <span class="soft">${statusCode}</span></dt>
        <dd>${marked(when)}<br /><span class="soft">“${message}”</span></dd> `,
  );
  const content = prose(
    'Errors are `application/problem+json` (RFC 9457). Programs read `code`, which never changes; people read `detail`, ' +
      'which says what to do. `/tasks`, for the first clients, sends only the message, as plain text.',
    sample(JSON.stringify(problemOf(new MissingTaskError(), EXAMPLE_REQUEST), null, 2)),
    html`<dl class="entries">${entries}</dl>`,
  );
  return { id: 'errors', title: 'Errors', content };
}
