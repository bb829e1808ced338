import { createHash } from 'node:crypto';
import type { Authority } from './authority.ts';
import { CHOSEN_EXIT, CHOSEN_USER } from './authorize.ts';
import { USERS } from './identity.ts';

/** Asks who signs in. No password: the tenant is for development, and can be reached only from this machine. */
export function signInPage(query: URLSearchParams, { policy }: Authority): string {
  const asked = hiddenFields([...query].filter(([name]) => name !== CHOSEN_USER && name !== CHOSEN_EXIT));
  const users = USERS.map((name) => button(CHOSEN_USER, name, name));
  const exits = [
    button(CHOSEN_EXIT, 'cancel', 'Cancel'),
    ...(policy === undefined ? [] : [button(CHOSEN_EXIT, 'forgot', 'Forgot your password?')]),
  ];
  const hint = escape(query.get('login_hint') ?? '');
  return page(
    'Sign in to the development tenant',
    `<p>${policy === undefined ? 'Entra External ID' : `Azure AD B2C, policy ${escape(policy)}`}. Who are you?</p>
<form>${asked}${users.join(' ')}</form>
<form>${asked}<input name="${CHOSEN_USER}" value="${hint}" placeholder="Another name" aria-label="Another name" required>
<button>Sign in</button></form>
<form>${asked}${exits.join(' ')}</form>`,
  );
}

export function refusalPage(message: string): string {
  return page('This sign-in cannot continue', `<p>${escape(message)}</p>`);
}

export function signedOutPage(): string {
  return page('You are signed out', '<p>This browser no longer has a session with the development tenant.</p>');
}

const RETURN_SCRIPT = 'document.forms[0].submit()';
export const RETURN_SCRIPT_HASH = `sha256-${createHash('sha256').update(RETURN_SCRIPT).digest('base64')}`;

/** Posts the answer to the app (OAuth 2.0 Form Post Response Mode). */
export function returnPage(redirectUri: string, answer: Record<string, string>): string {
  return page(
    'Back to the app',
    `<form method="post" action="${escape(redirectUri)}">${hiddenFields(Object.entries(answer))}<button>Continue</button></form>
<script>${RETURN_SCRIPT}</script>`,
  );
}

/** @param body HTML. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
${body}
</html>
`;
}

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui;max-width:50em;margin:3em auto;padding:0 1em}
button,input{font:inherit;padding:.3em .8em;margin:.2em 0}pre{overflow-x:auto;padding:.6em;border:1px solid #8888}
th{text-align:left;padding-right:1em;vertical-align:top}td{overflow-wrap:anywhere}`;

function button(name: string, value: string, text: string): string {
  return `<button name="${name}" value="${escape(value)}">${escape(text)}</button>`;
}

function hiddenFields(fields: [name: string, value: string][]): string {
  return fields
    .map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`)
    .join('');
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
