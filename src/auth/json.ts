/** The text is not one JSON object, or names a member twice. */
export class StrictJsonError extends Error {}

/**
 * Parses one JSON object in which no object, at any depth, names a member twice. Which of two members counts is up
 * to the parser (RFC 8259, section 4), so whoever checked the token before us may have read another one than we do.
 *
 * @throws {StrictJsonError}
 */
export function parseStrictObject(text: string): Readonly<Record<string, unknown>> {
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new StrictJsonError('not an object');
  if (hasDuplicateMembers(text)) throw new StrictJsonError('a member is there twice');
  return deepFreeze(value as Record<string, unknown>);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StrictJsonError('not JSON', { cause });
  }
}

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g;

/** Expects text that `JSON.parse` has accepted. Keeps its own stack, so that no depth overflows ours. */
function hasDuplicateMembers(text: string): boolean {
  // The names seen in each object that is open; undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  let isName = false;
  for (const [token] of text.matchAll(TOKENS)) {
    const names = open.at(-1);
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (isName && names !== undefined && token !== ':' && token !== ',') {
      const name = JSON.parse(token) as string;
      if (names.has(name)) return true;
      names.add(name);
    }
    isName = token === '{' || (token === ',' && names !== undefined);
  }
  return false;
}

/** Claims are shared by all requests that bring the same token: none may change them for the others. */
function deepFreeze<T extends object>(root: T): T {
  const left: object[] = [root];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    Object.freeze(value);
    for (const member of Object.values(value) as unknown[]) {
      if (typeof member === 'object' && member !== null) left.push(member);
    }
  }
  return root;
}
