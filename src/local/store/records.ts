import { ObjectId } from 'bson';
import type { Collection, Index } from './catalog.ts';
import { type Doc, encode, isDoc, MAX_DOCUMENT_BYTES, valueAt } from './documents.ts';
import { CommandError, notImplemented } from './errors.ts';
import { encodeKey, encodeKeys } from './keys.ts';
import type { Storage } from './storage.ts';

/** Writes one document and its entry in every index. All checks come before the first write. */

/** Returns its id. @throws {CommandError} DuplicateKey, or what is wrong with the document. */
export function insertRecord(storage: Storage, collection: Collection, given: Doc, givenBson?: Uint8Array): unknown {
  const { doc, bson } = withId(given, givenBson);
  checkDocument(doc, bson);
  const keys = keysOf(collection, doc);
  checkUnique(storage, collection, doc, keys, undefined);
  const rid = storage.addDocument(collection.id, bson);
  for (const [index, key] of keys) storage.addEntry(index.id, key, rid);
  return doc['_id'];
}

/** Returns whether it changed. @throws {CommandError} DuplicateKey, ImmutableField, or what is wrong with the document. */
export function replaceRecord(
  storage: Storage,
  collection: Collection,
  old: { rid: number; doc: Doc; bson: Uint8Array },
  changed: Doc,
): boolean {
  checkSameId(old.doc, changed);
  const { doc, bson } = withId(changed, undefined);
  if (Buffer.compare(bson, old.bson) === 0) return false;
  checkDocument(doc, bson);
  const before = keysOf(collection, old.doc);
  const after = keysOf(collection, doc);
  for (const [index, key] of before) {
    if (after.get(index)?.equals(key) !== true) continue;
    // Most keys, and so their entries, stay the same.
    before.delete(index);
    after.delete(index);
  }
  checkUnique(storage, collection, doc, after, old.rid);
  storage.replaceDocument(old.rid, bson);
  for (const [index, key] of before) storage.removeEntry(index.id, key, old.rid);
  for (const [index, key] of after) storage.addEntry(index.id, key, old.rid);
  return true;
}

export function removeRecord(storage: Storage, collection: Collection, { rid, doc }: { rid: number; doc: Doc }): void {
  for (const [index, key] of keysOf(collection, doc)) storage.removeEntry(index.id, key, rid);
  storage.removeDocument(rid);
}

/** Fills a new index. */
export function indexRecord(storage: Storage, collection: Collection, index: Index, rid: number, doc: Doc): void {
  const key = keyOf(index, doc);
  if (key === undefined) return;
  checkUnique(storage, collection, doc, new Map([[index, key]]), rid);
  storage.addEntry(index.id, key, rid);
}

function keysOf(collection: Collection, doc: Doc): Map<Index, Buffer> {
  const keys = new Map<Index, Buffer>();
  for (const index of collection.indexes) {
    const key = keyOf(index, doc);
    if (key !== undefined) keys.set(index, key);
  }
  return keys;
}

/** Undefined for a document that a partial index leaves out. */
function keyOf(index: Index, doc: Doc): Buffer | undefined {
  if (index.includes !== undefined && !index.includes(doc)) return undefined;
  if (index.fields.some(({ path }) => Array.isArray(valueAt(doc, path)))) {
    throw notImplemented(`an array under a path of the index '${index.name}' (multikey)`);
  }
  return encodeKeys(doc, index.fields);
}

function checkUnique(
  storage: Storage,
  collection: Collection,
  doc: Doc,
  keys: ReadonlyMap<Index, Buffer>,
  ownRid: number | undefined,
): void {
  for (const [index, key] of keys) {
    if (!index.isUnique) continue;
    const rid = storage.ridOf(index.id, key);
    if (rid !== undefined && rid !== ownRid) throw duplicateKey(collection, index, doc);
  }
}

/** Worded as in MongoDB: mongoose and others read the index's name from the message. */
function duplicateKey(collection: Collection, index: Index, doc: Doc): CommandError {
  const keyValue: Doc = {};
  for (const { path } of index.fields) keyValue[path] = valueAt(doc, path) ?? null;
  const shown = Object.entries(keyValue).map(([path, value]) => `${path}: ${show(value)}`);
  return new CommandError(
    11000,
    `E11000 duplicate key error collection: ${collection.ns} index: ${index.name} dup key: { ${shown.join(', ')} }`,
    { keyPattern: index.spec['key'], keyValue },
  );
}

function show(value: unknown): string {
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  return typeof value === 'string' || isDoc(value) ? JSON.stringify(value) : String(value);
}

function checkSameId(before: Doc, after: Doc): void {
  if (encodeKey(before['_id']).equals(encodeKey(after['_id']))) return;
  throw new CommandError(66, "Performing an update on the path '_id' would modify the immutable field '_id'");
}

function checkDocument(doc: Doc, bson: Uint8Array): void {
  if (bson.length > MAX_DOCUMENT_BYTES) {
    throw new CommandError(
      10334,
      `BSONObj size: ${bson.length} is invalid. Size must be between 0 and ${MAX_DOCUMENT_BYTES}`,
    );
  }
  if (Array.isArray(doc['_id'])) throw new CommandError(53, "The '_id' value cannot be of type array");
  for (const name of Object.keys(doc)) {
    if (name.startsWith('$')) {
      throw new CommandError(52, `The dollar ($) prefixed field '${name}' in '${name}' is not allowed`);
    }
  }
}

/** MongoDB keeps `_id` first, and gives one to a document that has none. */
function withId(doc: Doc, bson: Uint8Array | undefined): { doc: Doc; bson: Uint8Array } {
  if (Object.keys(doc)[0] === '_id') return { doc, bson: bson ?? encode(doc) };
  const first = { _id: Object.hasOwn(doc, '_id') ? doc['_id'] : new ObjectId(), ...doc };
  return { doc: first, bson: encode(first) };
}
