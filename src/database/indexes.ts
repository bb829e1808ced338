/** An index as `createIndexes` takes it and `listIndexes` returns it. */
export interface IndexDescription {
  key: Record<string, 1 | -1>;
  name: string;
  unique?: boolean;
  expireAfterSeconds?: number;
  partialFilterExpression?: object;
  sparse?: boolean;
  hidden?: boolean;
  collation?: { locale: string };
}

/** The name that MongoDB's tools give to an index, such as `owner_1__id_1`. */
export function nameOf(key: IndexDescription['key']): string {
  return Object.entries(key)
    .map(([path, direction]) => `${path}_${direction}`)
    .join('_');
}

/** Whether an existing index serves the purpose of the wanted one, whatever its name. */
export function serves(there: IndexDescription, wanted: IndexDescription): boolean {
  return (
    nameOf(plain(there.key)) === nameOf(wanted.key) &&
    // A unique one finds documents just as well, and accepts everything that we write.
    (there.unique === true || wanted.unique !== true) &&
    there.expireAfterSeconds === wanted.expireAfterSeconds &&
    JSON.stringify(there.partialFilterExpression) === JSON.stringify(wanted.partialFilterExpression) &&
    (there.sparse ?? false) === (wanted.sparse ?? false) &&
    there.hidden !== true &&
    there.collation === undefined
  );
}

/** Servers may return directions as other kinds of numbers. */
function plain(key: Record<string, unknown>): IndexDescription['key'] {
  return Object.fromEntries(
    Object.entries(key).map(([path, direction]) => [path, Number(direction)]),
  ) as IndexDescription['key'];
}
