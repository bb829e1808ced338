import { CHOSEN_USER } from './authorization.ts';
import { DEFAULT_USER } from './identity.ts';

const USERS = [DEFAULT_USER.name, 'Alice', 'Bob'];

/** Asks who signs in. No password: it is a tenant for development, and reachable from this machine alone. */
export function signInPage(query: URLSearchParams, policy: string): string {
  const hidden = [...query]
    .filter(([name]) => name !== CHOSEN_USER)
    .map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`)
    .join('');
  const buttons = USERS.map((name) => `<button name="${CHOSEN_USER}" value="${escape(name)}">${escape(name)}</button>`);
  const hint = escape(query.get('login_hint') ?? '');
  return page(
    'Sign in to the development tenant',
    `<p>Policy ${escape(policy)}. Who are you?</p>
<form>${hidden}${buttons.join(' ')}</form>
<form>${hidden}<input name="${CHOSEN_USER}" value="${hint}" placeholder="Another name" aria-label="Another name" required>
<button>Sign in</button></form>`,
  );
}

export function refusalPage(message: string): string {
  return page('This sign-in cannot go on', `<p>${escape(message)}</p>`);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>body{font:16px/1.5 system-ui;max-width:30em;margin:4em auto;padding:0 1em}button,input{font:inherit;padding:.3em .8em;margin:.2em 0}</style>
<h1>${title}</h1>
${body}
</html>
`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
