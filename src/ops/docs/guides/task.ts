import type { ApiDocument } from '../../openapi/types.ts';
import type { Section } from '../contents.ts';
import { html } from '../html.ts';
import { taskMembers } from '../members.ts';

/** What a task is made of, with the limits of each member. */
export function task(document: ApiDocument): Section {
  const content = html`<p>
      A task is one JSON object. Send the members that you want to set; those that you leave out are what they are when
      absent. Unknown members are ignored, and so are those that the server sets.
    </p>
    ${taskMembers(document)}`;
  return { id: 'task', title: 'A task', content };
}
