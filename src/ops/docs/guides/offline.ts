import type { Section } from '../contents.ts';
import { html } from '../html.ts';
import { SERVER } from '../samples.ts';

/** A client that keeps its own copy and works without a network: what to send, and what each answer means for the copy. */
export function offline(): Section {
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
