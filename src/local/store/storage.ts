import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** One document as it is stored: its row and its BSON. */
export interface Row {
  readonly rid: number;
  readonly bson: Uint8Array;
}

/** A row found through an index, with its key there. */
export interface IndexedRow extends Row {
  readonly key: Uint8Array;
}

/** Keys from `low` (inclusive) to `high` (exclusive). */
export interface Range {
  readonly low: Uint8Array;
  readonly high: Uint8Array;
}

export const SCHEMA = `
  CREATE TABLE collections (id INTEGER PRIMARY KEY AUTOINCREMENT, db TEXT NOT NULL, name TEXT NOT NULL, uuid BLOB NOT NULL, UNIQUE (db, name));
  CREATE TABLE indexes (id INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL, spec BLOB NOT NULL);
  CREATE TABLE documents (rid INTEGER PRIMARY KEY, collection INTEGER NOT NULL, bson BLOB NOT NULL);
  CREATE INDEX documents_by_collection ON documents (collection);
  CREATE TABLE entries (idx INTEGER NOT NULL, key BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (idx, key, rid)) WITHOUT ROWID;
`;

const FORWARD = `SELECT e.key, d.rid, d.bson FROM entries e JOIN documents d ON d.rid = e.rid
  WHERE e.idx = ? AND (e.key, e.rid) > (?, ?) AND e.key < ? ORDER BY e.key, e.rid LIMIT ?`;
const BACKWARD = `SELECT e.key, d.rid, d.bson FROM entries e JOIN documents d ON d.rid = e.rid
  WHERE e.idx = ? AND (e.key, e.rid) < (?, ?) AND e.key >= ? ORDER BY e.key DESC, e.rid DESC LIMIT ?`;
const COUNT = 'SELECT count(*) AS n FROM (SELECT 1 FROM entries WHERE idx = ? AND key >= ? AND key < ? LIMIT ?)';

/**
 * The SQL. One table holds all documents; another holds all indexes of all collections, as order-preserving keys (keys.ts) with the
 * row that each leads to. So one prepared statement serves all collections. The first write begins a transaction: writes are
 * durable once `commit` has returned.
 */
export class Storage {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #isWriting = false;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  /** @throws what SQLite reports; nothing written since the last commit is kept then: `rollback`, and tell everybody. */
  commit(): void {
    if (this.#isWriting) this.#run('COMMIT');
    this.#isWriting = false;
  }

  /** After a failure: a full disk may already have ended the transaction. */
  rollback(): void {
    this.#isWriting = false;
    if (this.#db.isTransaction) this.#run('ROLLBACK');
  }

  collections(): { id: number; db: string; name: string }[] {
    return this.#all('SELECT id, db, name FROM collections ORDER BY db, name');
  }

  indexes(): { id: number; collection: number; spec: Uint8Array }[] {
    return this.#all('SELECT id, collection, spec FROM indexes ORDER BY id');
  }

  addCollection(db: string, name: string): number {
    return this.#write('INSERT INTO collections (db, name, uuid) VALUES (?, ?, randomblob(16))', db, name);
  }

  addIndex(collection: number, spec: Uint8Array): number {
    return this.#write('INSERT INTO indexes (collection, spec) VALUES (?, ?)', collection, spec);
  }

  removeIndex(index: number): void {
    this.#write('DELETE FROM entries WHERE idx = ?', index);
    this.#write('DELETE FROM indexes WHERE id = ?', index);
  }

  addDocument(collection: number, bson: Uint8Array): number {
    return this.#write('INSERT INTO documents (collection, bson) VALUES (?, ?)', collection, bson);
  }

  replaceDocument(rid: number, bson: Uint8Array): void {
    this.#write('UPDATE documents SET bson = ? WHERE rid = ?', bson, rid);
  }

  removeDocument(rid: number): void {
    this.#write('DELETE FROM documents WHERE rid = ?', rid);
  }

  addEntry(index: number, key: Uint8Array, rid: number): void {
    this.#write('INSERT INTO entries (idx, key, rid) VALUES (?, ?, ?)', index, key, rid);
  }

  removeEntry(index: number, key: Uint8Array, rid: number): void {
    this.#write('DELETE FROM entries WHERE idx = ? AND key = ? AND rid = ?', index, key, rid);
  }

  /** The row that has exactly this key, for unique indexes. */
  ridOf(index: number, key: Uint8Array): number | undefined {
    return this.#all<{ rid: number }>('SELECT rid FROM entries WHERE idx = ? AND key = ? LIMIT 1', index, key)[0]?.rid;
  }

  /** How many keys there are in a range, counted up to a limit. */
  countEntries(index: number, range: Range, limit: number): number {
    return this.#all<{ n: number }>(COUNT, index, range.low, range.high, limit)[0]?.n ?? 0;
  }

  /** At most `limit` rows of a range, in ascending or descending order of their keys, after the row given. */
  rows(index: number, { low, high }: Range, limit: number, isBackward = false, after?: IndexedRow): IndexedRow[] {
    const [sql, first, last] = isBackward ? [BACKWARD, high, low] : [FORWARD, low, high];
    return this.#all(sql, index, after?.key ?? first, after?.rid ?? -1, last, limit);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  #all<T>(sql: string, ...values: (string | number | Uint8Array)[]): T[] {
    return this.#statement(sql).all(...values) as T[];
  }

  #write(sql: string, ...values: (string | number | Uint8Array)[]): number {
    if (!this.#isWriting) this.#run('BEGIN IMMEDIATE');
    this.#isWriting = true;
    return this.#run(sql, ...values);
  }

  /** Returns the row that was inserted. */
  #run(sql: string, ...values: (string | number | Uint8Array)[]): number {
    return Number(this.#statement(sql).run(...values).lastInsertRowid);
  }
}
