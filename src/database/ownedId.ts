import { createHash } from 'node:crypto';

/** The id of something that an owner has named: it reveals neither, and can be recomputed for another owner. */
export function ownedId(owner: string, name: string): string {
  return `${digest(owner)}.${digest(name)}`;
}

/** The same name for another owner. Undefined if the id is not one of these. */
export function reownedId(id: string, owner: string): string | undefined {
  const [, name] = id.split('.');
  return name === undefined ? undefined : `${digest(owner)}.${name}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
