/** The development tenants and their users. Fixed, so that people keep their tasks when `data/tenant` is deleted. */
import { createHash } from 'node:crypto';

export const TENANT_NAME = 'tasksdev.onmicrosoft.com';
export const TENANT_ID = '6d1f4c0a-93a5-4b7e-8c52-0f8e2ab7d914';

/** As in the tutorial, the API and the apps that call it share one application id. */
export const CLIENT_ID = 'c7a1e8f2-5b64-4d39-9e0d-3b2f6a84c571';

/** The user flows of the tenant, like those of the tutorial. */
export const POLICIES = [
  'b2c_1_signupsignin',
  'b2c_1_signup',
  'b2c_1_signin',
  'b2c_1_edit_profile',
  'b2c_1_password_reset',
] as const;

/** The tenant of Entra External ID beside it, with its own ids and keys, and other object ids for the same people. */
export const EXTERNAL_TENANT_ID = '3a9b6f1c-27d8-4e50-a6c4-91f05d8be273';
export const EXTERNAL_CLIENT_ID = '5e08d7b4-c1f9-4a26-8d73-f4b6029ea185';

/** Where Microsoft's migration kit leaves a person's B2C object id: an extension of the application that it registers. */
export const OWNER_CLAIM = 'extension_84d2c60f5b9e4137a0c8e1f3b6972d5a_B2CObjectId';

/** The API's scopes by their short names, as a token carries them. */
export const SCOPES = ['tasks.read', 'tasks.write'] as const;

/** What a token carries by default. */
export const DEFAULT_SCOPE = SCOPES.join(' ');

/** B2C's own default. */
export const LIFETIME_SECONDS = 3600;

export interface User {
  /** Becomes `oid` and `sub`: the owner of tasks. */
  readonly oid: string;
  readonly name: string;
}

/** The user of that name, whose object id in that tenant is the same on every machine and after every restart. */
export function userNamed(name: string, tenantId = TENANT_ID): User {
  return { oid: objectId(name, tenantId), name };
}

export const DEFAULT_USER = userNamed('Dev User');

/** Whom the sign-in page offers. */
export const USERS = [DEFAULT_USER.name, 'Alice', 'Bob'];

/** An address that does not exist (RFC 2606, section 3). */
export function emailOf(name: string): string {
  const local = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9 ]/g, '');
  return `${local.trim().replace(/ +/g, '.') || 'user'}@example.com`;
}

// A name-based UUID (RFC 9562, section 5.5) in the tenant's namespace. "alice" and "Alice " are one person.
function objectId(name: string, tenantId: string): string {
  const known = name.trim().normalize('NFC').toLowerCase();
  const bytes = createHash('sha1')
    .update(Buffer.from(tenantId.replaceAll('-', ''), 'hex'))
    .update(known)
    .digest();
  bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x50;
  bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
