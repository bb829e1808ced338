import { isDoc, toNumber, type Doc } from './documents.ts';
import { CommandError } from './errors.ts';

export type Projection = (doc: Doc) => Doc;

/** Names at one level: `true` for the whole member, else what is named within it. */
interface Tree {
  [name: string]: true | Tree;
}

/** Undefined when everything is wanted. @throws {CommandError} for anything but names to keep or names to leave out. */
export function parseProjection(projection: Doc | undefined): Projection | undefined {
  const entries = Object.entries(projection ?? {}).map(([path, value]) => ({ path, isKept: readFlag(path, value) }));
  if (entries.length === 0) return undefined;
  const others = entries.filter(({ path }) => path !== '_id');
  const id = entries.find(({ path }) => path === '_id');
  const isInclusion = others[0]?.isKept ?? id?.isKept ?? false;
  const odd = others.find(({ isKept }) => isKept !== isInclusion);
  if (odd !== undefined) {
    const code = isInclusion ? 31254 : 31253;
    const [verb, kind] = isInclusion ? ['exclusion', 'inclusion'] : ['inclusion', 'exclusion'];
    throw new CommandError(code, `Cannot do ${verb} on field ${odd.path} in ${kind} projection`);
  }
  const tree = treeOf(others.map(({ path }) => path));
  if ((id?.isKept ?? isInclusion) === isInclusion && (isInclusion || id !== undefined)) tree['_id'] = true;
  return (doc) => (isInclusion ? keep(doc, tree) : omit(doc, tree));
}

function readFlag(path: string, value: unknown): boolean {
  const flag = typeof value === 'boolean' ? value : toNumber(value);
  if (flag === undefined || path.includes('$')) {
    const operator = isDoc(value) ? Object.keys(value)[0] : undefined;
    throw new CommandError(2, `Unsupported projection option: ${path}: ${operator ?? 'an expression'}`);
  }
  return Boolean(flag);
}

function treeOf(paths: readonly string[]): Tree {
  const tree: Tree = Object.create(null) as Tree;
  for (const path of paths) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    let at = tree;
    for (const name of names) {
      const next = at[name] ?? (Object.create(null) as Tree);
      if (next === true) throw new CommandError(31249, `Path collision at ${path}`);
      at = at[name] = next;
    }
    if (at[last] !== undefined) throw new CommandError(31249, `Path collision at ${path}`);
    at[last] = true;
  }
  return tree;
}

function keep(doc: Doc, tree: Tree): Doc {
  const kept = Object.entries(doc).flatMap(([name, value]): [string, unknown][] => {
    const below = tree[name];
    if (below === true) return [[name, value]];
    if (below !== undefined && isDoc(value)) return [[name, keep(value, below)]];
    if (below === undefined || !Array.isArray(value)) return [];
    return [[name, value.filter(isDoc).map((item) => keep(item, below))]];
  });
  return Object.fromEntries(kept);
}

function omit(doc: Doc, tree: Tree): Doc {
  const kept = Object.entries(doc).flatMap(([name, value]): [string, unknown][] => {
    const below = tree[name];
    if (below === true) return [];
    return [[name, below === undefined ? value : omitWithin(value, below)]];
  });
  return Object.fromEntries(kept);
}

function omitWithin(value: unknown, tree: Tree): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => omitWithin(item, tree));
  return isDoc(value) ? omit(value, tree) : value;
}
