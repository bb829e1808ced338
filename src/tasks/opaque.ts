/** How cursors and sync tokens are written: nothing that a client should look into. */

export function encodeOpaque(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * The parts again; none when the text is no such list. Several texts decode to the same parts: encode them again and
 * compare to be sure that this one is ours.
 */
export function decodeOpaque(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
