/** The authorization code flow, from the app's and the browser's side. */
import assert from 'node:assert/strict';
import { CLIENT_ID } from '../../src/local/tenant/identity.ts';
import { type Client, pkcePair } from './support.ts';

export const AUTHORIZE = '/tasksdev.onmicrosoft.com/b2c_1_signin/oauth2/v2.0/authorize';
export const TOKEN = '/tasksdev.onmicrosoft.com/b2c_1_signin/oauth2/v2.0/token';
export const REDIRECT = 'http://127.0.0.1:3000/docs';
export const { verifier, challenge } = pkcePair();

/** What a browser says when a button of the tenant's own page was pressed. */
export const FROM_SIGN_IN_PAGE = { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'navigate' };

const question = {
  client_id: CLIENT_ID,
  redirect_uri: REDIRECT,
  response_type: 'code',
  scope: 'openid offline_access https://tasksdev.onmicrosoft.com/api/tasks.read',
  state: 'abc',
  nonce: 'n-1',
  code_challenge: challenge,
  code_challenge_method: 'S256',
};

export function authorizeUrl(change: Record<string, string | undefined> = {}): string {
  const parameters: Record<string, string | undefined> = { ...question, ...change };
  const known = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `${AUTHORIZE}?${new URLSearchParams(known).toString()}`;
}

/** Signs in as a person would after choosing a name, and answers with what the app finds at its redirect URI. */
export async function signIn(client: Client, name: string, change: Record<string, string> = {}): Promise<URL> {
  const response = await client.ask(authorizeUrl({ ...change, dev_user: name }), FROM_SIGN_IN_PAGE);
  assert.equal(response.status, 302);
  return new URL(response.headers.get('location') ?? '');
}

export async function codeFor(client: Client, name: string): Promise<string> {
  return (await signIn(client, name)).searchParams.get('code') ?? '';
}

export function redemption(code: string): Record<string, string> {
  return {
    grant_type: 'authorization_code',
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT,
    code,
    code_verifier: verifier,
  };
}
