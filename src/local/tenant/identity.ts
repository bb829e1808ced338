/** Who the development tenant is and whom it knows. Fixed, so that tokens and tasks outlive a deleted `data/tenant`. */
import { createHash } from 'node:crypto';

export const TENANT_NAME = 'tasksdev.onmicrosoft.com';
export const TENANT_ID = '6d1f4c0a-93a5-4b7e-8c52-0f8e2ab7d914';

/** As in the tutorial, one application id stands for the API and for the apps that call it. */
export const CLIENT_ID = 'c7a1e8f2-5b64-4d39-9e0d-3b2f6a84c571';

/** The user flows of the tenant, like those that the tutorial has one create. */
export const POLICIES = ['b2c_1_signupsignin', 'b2c_1_signup', 'b2c_1_signin', 'b2c_1_edit_profile'] as const;

/** What a token carries unless it is asked for something else. */
export const DEFAULT_SCOPE = 'tasks.read tasks.write';

/** B2C's own default. */
export const LIFETIME_SECONDS = 3600;

export interface User {
  /** Becomes `oid` and `sub`: whose tasks these are. */
  readonly oid: string;
  readonly name: string;
}

/** The user of that name, whose object id is the same on every machine and after every restart. */
export function userNamed(name: string): User {
  return { oid: objectId(name), name };
}

export const DEFAULT_USER = userNamed('Dev User');

// A name-based UUID (RFC 9562, section 5.5) in the tenant's namespace. "alice" and "Alice " are one person.
function objectId(name: string): string {
  const known = name.trim().normalize('NFC').toLowerCase();
  const bytes = createHash('sha1')
    .update(Buffer.from(TENANT_ID.replaceAll('-', ''), 'hex'))
    .update(known)
    .digest();
  bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x50;
  bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
