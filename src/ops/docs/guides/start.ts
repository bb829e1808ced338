import type { Section } from '../contents.ts';
import { html } from '../html.ts';
import { SERVER } from '../samples.ts';

/** The shortest way from nothing to a task. */
export function start(): Section {
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
