import { type Doc, hasOperators, isDoc } from './documents.ts';
import { CommandError, notImplemented } from './errors.ts';

/** Makes a new document from the one found, or from what an upsert starts with. */
export type Update = (doc: Doc, isInsert: boolean) => Doc;

const OPERATORS = ['$set', '$setOnInsert', '$unset'];

/** @throws {CommandError} naming an unknown operator or operand. */
export function parseUpdate(update: unknown, isMulti: boolean): Update {
  if (Array.isArray(update)) throw notImplemented('an update with an aggregation pipeline');
  if (!isDoc(update)) throw new CommandError(9, "Update argument must be either an object or an array: 'u'");
  if (hasOperators(update)) return change(update);
  if (isMulti) throw new CommandError(9, 'multi update is not supported for replacement-style update');
  return ({ _id }) => (_id === undefined ? update : { ...update, _id: update['_id'] ?? _id });
}

function change(update: Doc): Update {
  const fields = Object.entries(update).map(([operator, members]) => checkMembers(operator, members));
  checkConflicts(fields.flatMap(Object.keys));
  const [set, setOnInsert, unset] = OPERATORS.map((operator) => update[operator] as Doc | undefined);
  return (doc, isInsert) => {
    // Spread, not assigned: `__proto__` is a name like any other.
    const changed = { ...doc, ...set, ...(isInsert && setOnInsert) };
    for (const name of Object.keys(unset ?? {})) Reflect.deleteProperty(changed, name);
    return changed;
  };
}

function checkMembers(operator: string, members: unknown): Doc {
  if (!OPERATORS.includes(operator)) {
    throw new CommandError(
      9,
      `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array; ` +
        `the embedded store implements ${OPERATORS.join(', ')}`,
    );
  }
  if (!isDoc(members)) {
    throw new CommandError(9, `Modifiers operate on fields but we found another type instead: {${operator}: …}`);
  }
  const path = Object.keys(members).find((name) => name === '' || name.includes('.') || name.startsWith('$'));
  if (path !== undefined) throw notImplemented(`${operator} of the path '${path}', which is not a member,`);
  return members;
}

function checkConflicts(names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  throw new CommandError(40, `Updating the path '${twice}' would create a conflict at '${twice}'`);
}

/** What an upsert starts with: the members that its filter compares for equality. */
export function seedOf(filter: Doc): Doc {
  const equal = Object.entries(filter).flatMap(([path, value]) => {
    if (path.startsWith('$') || path.includes('.')) return [];
    if (!isDoc(value) || !hasOperators(value)) return [[path, value]];
    return Object.hasOwn(value, '$eq') ? [[path, value['$eq']]] : [];
  });
  return Object.fromEntries(equal) as Doc;
}
