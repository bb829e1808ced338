/** Text that is already HTML. `html` escapes everything else. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Undefined and false are left out. */
type Part = string | number | Html | false | undefined | readonly Part[];

/** A template whose values are escaped, so that nothing shown can break the page or inject into it. */
export function html(strings: TemplateStringsArray, ...values: Part[]): Html {
  return new Html(strings.map((string, i) => string + render(values[i])).join(''));
}

/** A line of text as in the API document: backticks mark code, two asterisks stress, and `[…](…)` is a link. */
export function marked(line: string): Html {
  const parts = line.split(/(`[^`]+`|\*\*[^*]+\*\*|\[.+?\]\(.+?\))/);
  return html`${parts.map((part) => {
    const [, text = '', to = ''] = /^\[(.+)\]\((.+)\)$/.exec(part) ?? [];
    if (to !== '') return html`<a href="${to}" rel="noreferrer">${marked(text)}</a>`;
    if (part.startsWith('`')) return html`<code>${part.slice(1, -1)}</code>`;
    return part.startsWith('**') ? html`<strong>${part.slice(2, -2)}</strong>` : part;
  })}`;
}

/** Paragraphs, and lists of what is in an array. */
export function prose(...parts: readonly (string | readonly string[] | Html)[]): Html {
  return html`${parts.map((part) => {
    if (part instanceof Html) return part;
    if (typeof part === 'string') return html`<p>${marked(part)}</p> `;
    return html`<ul>
      ${part.map((item) => html`<li>${marked(item)}</li> `)}
    </ul>`;
  })}`;
}

/** Lines to copy. */
export function sample(text: string): Html {
  return html`<pre tabindex="0"><code>${text}</code></pre>`;
}

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  return typeof part === 'object' ? part.map(render).join('') : escape(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
