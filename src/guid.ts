const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isGuid(text: string): boolean {
  return GUID.test(text);
}

/** An id as it is stored and compared: GUIDs ignore case, other ids do not. */
export function canonicalId(id: string): string {
  return isGuid(id) ? id.toLowerCase() : id;
}
