import type { Clock } from '../../../clock.ts';
import type { Catalog, Collection } from '../catalog.ts';
import type { Cursors } from '../cursors.ts';
import { type Doc, isDoc, toNumber } from '../documents.ts';
import { CommandError } from '../errors.ts';
import type { Steps } from '../steps.ts';
import type { Storage } from '../storage.ts';

/** What the commands work on. */
export interface Engine {
  readonly storage: Storage;
  readonly catalog: Catalog;
  readonly cursors: Cursors;
  readonly clock: Clock;
}

/** One command as it came, checked as far as every command is. */
export interface Request {
  readonly name: string;
  readonly db: string;
  readonly body: Doc;
  /** The documents of an `insert`, not parsed. */
  readonly documents: readonly Uint8Array[];
  readonly connectionId: number;
}

interface CommandTraits {
  /** The members that it understands besides its own name and those of every command. Others are refused by name. */
  readonly fields: readonly string[];
  readonly isWrite: boolean;
}

export type Answer = Doc | Uint8Array;

/** Carried out at once, or in steps when it may read or write much. */
export type Command = CommandTraits &
  ({ run(engine: Engine, request: Request): Answer } | { steps(engine: Engine, request: Request): Steps<Answer> });

/** @throws {CommandError} naming the first member that is not among those understood. */
export function checkFields(where: string, doc: Doc, fields: ReadonlySet<string>): void {
  const unknown = Object.keys(doc).find((name) => !fields.has(name));
  if (unknown === undefined) return;
  throw new CommandError(
    40415,
    `BSON field '${where}.${unknown}' is an unknown field: the embedded store does not implement it`,
  );
}

/** The collection that the command names, which may not exist. */
export function collectionName({ body, name, db }: Request): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw new CommandError(73, `Invalid namespace specified '${db}.'`);
  return value;
}

export function findCollection(engine: Engine, request: Request): Collection | undefined {
  return engine.catalog.find(request.db, collectionName(request));
}

export function readDoc(doc: Doc, name: string): Doc | undefined {
  const value = doc[name];
  if (value === undefined || value === null) return undefined;
  if (!isDoc(value)) throw new CommandError(14, `BSON field '${name}' is the wrong type, expected type 'object'`);
  return value;
}

export function readNumber(doc: Doc, name: string): number | undefined {
  const value = doc[name];
  if (value === undefined || value === null) return undefined;
  const number = toNumber(value);
  if (number === undefined) throw new CommandError(14, `BSON field '${name}' is the wrong type, expected a number`);
  if (number < 0) throw new CommandError(51024, `BSON field '${name}' value must be >= 0, actual value '${number}'`);
  return Math.trunc(number);
}

/** Milliseconds that the client gives the command; 0 and nothing mean as long as it takes. */
export function readTimeLimit(body: Doc): number {
  return readNumber(body, 'maxTimeMS') || Infinity;
}

export function readFlag(doc: Doc, name: string, absent = false): boolean {
  const value = doc[name];
  if (value === undefined || value === null) return absent;
  if (typeof value === 'boolean') return value;
  const number = toNumber(value);
  if (number === undefined) throw new CommandError(14, `BSON field '${name}' is the wrong type, expected type 'bool'`);
  return number !== 0;
}

/** An array of documents: the statements of an update or delete, the indexes of createIndexes. */
export function readDocs(doc: Doc, name: string, where: string): Doc[] {
  const value = doc[name];
  if (value === undefined) {
    throw new CommandError(40414, `BSON field '${where}.${name}' is missing but a required field`);
  }
  if (!Array.isArray(value) || !value.every(isDoc)) {
    throw new CommandError(14, `BSON field '${where}.${name}' is the wrong type, expected an array of objects`);
  }
  return value;
}
