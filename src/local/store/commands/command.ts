import type { Clock } from '../../../clock.ts';
import type { Catalog } from '../catalog.ts';
import type { Cursors } from '../cursors.ts';
import { type Doc, isDoc, toNumber } from '../documents.ts';
import { CommandError } from '../errors.ts';
import type { Storage } from '../storage.ts';

/** What the commands work on. */
export interface Engine {
  readonly storage: Storage;
  readonly catalog: Catalog;
  readonly cursors: Cursors;
  readonly clock: Clock;
}

/** One command as received, after the checks that apply to all. */
export interface Request {
  readonly name: string;
  readonly db: string;
  /** The `documents` of an insert are bytes, not parsed. */
  readonly body: Doc;
}

/**
 * Work in steps: a generator yields where others may run, and is resumed later. So no command, however much it reads or writes,
 * keeps the others waiting longer than one step. Each step is valid by itself: it may be the last.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

export type Answer = Doc | Uint8Array;

export interface Command {
  /** The members that it knows besides its own name and those of every command. Others are refused by name. */
  readonly fields: readonly string[];
  /** Runs it at once, or in steps if it may read or write much. */
  run(engine: Engine, request: Request): Answer | Steps<Answer>;
}

/** @throws {CommandError} naming the first unknown member. */
export function checkFields(where: string, doc: Doc, fields: ReadonlySet<string>): void {
  const unknown = Object.keys(doc).find((name) => !fields.has(name));
  if (unknown === undefined) return;
  throw new CommandError(
    40415,
    `BSON field '${where}.${unknown}' is an unknown field: the embedded store does not implement it`,
  );
}

/** The collection that the command names, which may not exist. */
export function namespaceOf({ body, name, db }: Request): [db: string, name: string] {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw new CommandError(73, `Invalid namespace specified '${db}.'`);
  return [db, value];
}

export function readDoc(doc: Doc, name: string): Doc | undefined {
  const value = doc[name] ?? undefined;
  if (value === undefined || isDoc(value)) return value;
  throw wrongType(name, "type 'object'");
}

export function readNumber(doc: Doc, name: string): number | undefined {
  const value = doc[name] ?? undefined;
  if (value === undefined) return undefined;
  const number = toNumber(value);
  if (number === undefined) throw wrongType(name, 'a number');
  if (number < 0) throw new CommandError(51024, `BSON field '${name}' value must be >= 0, actual value '${number}'`);
  return Math.trunc(number);
}

export function readFlag(doc: Doc, name: string, absent = false): boolean {
  const value = doc[name] ?? absent;
  if (typeof value === 'boolean') return value;
  const number = toNumber(value);
  if (number === undefined) throw wrongType(name, "type 'bool'");
  return number !== 0;
}

/** An array of documents: the statements of an update or delete, the indexes of createIndexes. */
export function readDocs(doc: Doc, name: string, where: string): Doc[] {
  const value = doc[name];
  if (Array.isArray(value) && value.every(isDoc)) return value;
  if (value !== undefined) throw wrongType(`${where}.${name}`, 'an array of objects');
  throw new CommandError(40414, `BSON field '${where}.${name}' is missing but a required field`);
}

export function wrongType(name: string, expected: string): CommandError {
  return new CommandError(14, `BSON field '${name}' is the wrong type, expected ${expected}`);
}
