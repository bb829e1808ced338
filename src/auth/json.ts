/** The text is not one JSON object, names a member twice, or is nested too deeply. */
export class StrictJsonError extends Error {}

/** Objects and lists that may be open at once. Claims need a few; whatever recurses over them stays far from its limit. */
export const MAX_DEPTH = 64;

/**
 * Parses one JSON object, nested at most 64 deep, in which no object names a member twice. Which of two members counts
 * is up to the parser (RFC 8259, section 4), so whoever checked the token before us may have read another one than we
 * do.
 *
 * @throws {StrictJsonError}
 */
export function parseStrictObject(text: string): Readonly<Record<string, unknown>> {
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new StrictJsonError('not an object');
  refuseOddStructure(text);
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

/**
 * Expects text that `JSON.parse` has accepted. Keeps its own stack, so that no depth overflows ours.
 *
 * @throws {StrictJsonError}
 */
function refuseOddStructure(text: string): void {
  // The names seen in each object that is open; undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  let isName = false;
  for (const [token] of text.matchAll(TOKENS)) {
    const names = open.at(-1);
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (isName && names !== undefined && token !== ':' && token !== ',') {
      const name = JSON.parse(token) as string;
      if (names.has(name)) throw new StrictJsonError('a member is there twice');
      names.add(name);
    }
    if (open.length > MAX_DEPTH) throw new StrictJsonError('nested too deeply');
    isName = token === '{' || (token === ',' && names !== undefined);
  }
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
