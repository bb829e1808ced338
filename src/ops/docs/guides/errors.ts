import type { ApiDocument } from '../../openapi/types.ts';
import type { Section } from '../contents.ts';
import { html, marked } from '../html.ts';

interface ProblemExample {
  status: number;
  message: string;
}

/** Every `code`: when it comes, and what the server then says to do. */
export function errors({ components }: ApiDocument): Section {
  const examples = Object.entries(components.examples);
  const entries = examples.map(([code, { summary, value }]) => {
    const { status, message } = value as ProblemExample;
    return html`<dt id="${code}"><code>${code}</code> <span class="soft">${status}</span></dt>
      <dd>${marked(summary)}<br /><span class="soft">“${message}”</span></dd> `;
  });
  const content = html`<p>
      An error is <code>application/problem+json</code> (RFC 9457). Programs read <code>code</code>, which never
      changes; people read <code>message</code> (the same as <code>detail</code>), which says what to do.
      <code>/tasks</code>, for the first clients, sends the message alone, as plain text.
    </p>
    <pre tabindex="0"><code>${JSON.stringify(components.examples['MissingTask']?.value, null, 2)}</code></pre>
    <dl class="entries">${entries}</dl>`;
  return { id: 'errors', title: 'Errors', content };
}
