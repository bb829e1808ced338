/** The reader's token, from the tenant or pasted. It is kept until the tab is closed. */
import { finishSignIn, isBack, leaveToSignIn, leaveToSignOut } from './signIn.js';

const TOKEN = 'tasks-api:token';

export class Account {
  /** @type {string | undefined} */
  token;

  /** @type {URL} */
  #base;

  /** @type {import('./signIn.js').Tenant | undefined} */
  #tenant;

  /** @param {URL} base */
  constructor(base) {
    this.#base = base;
    const { clientId, metadataUrl, scopes } = element('account').dataset;
    if (clientId && metadataUrl && scopes) this.#tenant = { clientId, metadataUrl, scopes };
  }

  /** Shows itself, and uses the code that the tenant has just sent, or else the token that this tab has kept. */
  async start() {
    element('account').hidden = false;
    document.getElementById('sign-in')?.addEventListener('click', () => void this.#signIn());
    element('sign-out').addEventListener('click', () => void this.#signOut());
    element('token-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#use(field('token').value.trim());
    });
    const kept = sessionStorage.getItem(TOKEN);
    if (this.#tenant && isBack()) await this.#finish(this.#tenant);
    else if (kept !== null) await this.#use(kept);
  }

  /** Call it when the server has refused the token. */
  refused() {
    if (this.token === undefined) return;
    this.#forget();
    say('The token is no longer valid: sign in again.');
  }

  async #signIn() {
    if (this.#tenant === undefined) return;
    say('Signing in …');
    await leaveToSignIn(this.#tenant).catch(tellFailure);
  }

  /** @param {import('./signIn.js').Tenant} tenant */
  async #finish(tenant) {
    say('Signing in …');
    await finishSignIn(tenant).then((token) => this.#use(token), tellFailure);
  }

  /**
   * Asks the server whose token it is, which shows that the server takes it.
   *
   * @param {string} token
   */
  async #use(token) {
    const headers = { Authorization: `Bearer ${token}` };
    const response = await fetch(new URL('hello', this.#base), { headers }).catch(() => undefined);
    const answer = /** @type {{ name?: string, message?: string }} */ (
      (await response?.json().catch(() => undefined)) ?? {}
    );
    if (!response?.ok) {
      this.#forget();
      say(`Not signed in: ${answer.message ?? 'the server cannot be reached'}`);
      return;
    }
    this.token = token;
    sessionStorage.setItem(TOKEN, token);
    field('token').value = '';
    say(`Signed in as ${answer.name ?? 'a user without a name'}`);
    this.#show(true);
  }

  async #signOut() {
    this.#forget();
    say('Signed out');
    // If the tenant cannot be reached, its session cannot be ended, but the token is forgotten all the same.
    if (this.#tenant) await leaveToSignOut(this.#tenant).catch(() => undefined);
  }

  #forget() {
    this.token = undefined;
    sessionStorage.removeItem(TOKEN);
    this.#show(false);
  }

  /** @param {boolean} isSignedIn */
  #show(isSignedIn) {
    element('sign-out').hidden = !isSignedIn;
    element('paste').hidden = isSignedIn;
    const signIn = document.getElementById('sign-in');
    if (signIn) signIn.hidden = isSignedIn;
  }
}

/** @param {unknown} error */
function tellFailure(error) {
  say(`Not signed in: ${error instanceof Error ? error.message : String(error)}`);
}

/** @param {string} text */
function say(text) {
  element('who').textContent = text;
}

/** @param {string} id */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} id */
function field(id) {
  return /** @type {HTMLInputElement} */ (element(id));
}
