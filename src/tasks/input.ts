/** Reads a client's task strictly: only checked strings, booleans, lists and dates leave this file. */
import { InvalidContentError, InvalidTaskError, MissingTaskError } from '../errors.ts';
import type { Call } from '../http/operation.ts';
import type { Members } from '../http/request.ts';
import { type GivenDue, readDue } from './due.ts';
import { type Details, memberList, readString } from './members.ts';

export const MAX_TEXT_LENGTH = 4096;

/** What a body says about a task. What it omits is absent here. */
export interface TaskInput {
  /** From one or both of its names. */
  readonly texts: readonly string[];
  readonly dues: readonly GivenDue[];
  readonly details: Partial<Details>;
}

type Read = Pick<Call, 'body' | 'bodyKind'>;

/**
 * The task in a body of POST or PUT.
 *
 * @throws {MissingTaskError} without a text.
 * @throws {InvalidTaskError} naming the member of the wrong type or value.
 */
export function readTask(call: Read): TaskInput {
  const input = readInput(call);
  if (input.texts.length === 0) throw new MissingTaskError(hint(call));
  return input;
}

/** The task of a POST with its text in the URL; a body may add the rest, but not another text. */
export function readTaskNamed(text: string, call: Read): TaskInput {
  const input = readInput(call);
  if (input.texts.some((other) => other !== text)) {
    throw new InvalidTaskError('the text in the body differs from the one in the URL');
  }
  return { ...input, texts: [checkText(text)] };
}

/** A text that selects tasks, and what changes in them. */
export function readUpdate(call: Read): { text: string; changes: TaskInput } {
  const { texts, dues, details } = readTask(call);
  return { text: agreedText(texts), changes: { texts: [], dues, details } };
}

/** A JSON merge patch (RFC 7396): null resets a member to its default. A task always has a text. */
export function readPatch(call: Read): TaskInput {
  if (call.body?.['Text'] === null || call.body?.['task'] === null) throw new MissingTaskError();
  return readInput(call);
}

/**
 * The one text that all these sources agree on; undefined if none of them has a text member.
 *
 * @throws {InvalidTaskError} when they differ.
 */
export function readSelection(...sources: Members[]): string | undefined {
  const given = sources.flatMap(({ Text, task }) => [Text, task]).filter((text) => text !== undefined);
  return given.length === 0 ? undefined : agreedText(given.map(checkText));
}

/** @throws {InvalidTaskError} when the two names of the text differ. */
export function agreedText([text = '', ...others]: readonly string[]): string {
  if (others.every((other) => other === text)) return text;
  throw new InvalidTaskError('"Text" and "task" differ: they are two names of one member, so send only one');
}

/** @throws {MissingTaskError | InvalidTaskError} when it is not valid as a task's text. */
export function checkText(text: unknown): string {
  if (text === undefined || text === null) throw new MissingTaskError();
  if (typeof text !== 'string') throw new InvalidTaskError('"Text" (or "task") must be a string');
  if (text.trim() === '') throw new MissingTaskError();
  return readString(text, 'Text', MAX_TEXT_LENGTH);
}

function readInput(call: Read): TaskInput {
  const body = membersOf(call);
  const texts = [body['Text'], body['task']].filter((text) => text !== undefined && text !== null);
  const dues = DUE_NAMES.filter((name) => body[name] !== undefined);
  return {
    texts: texts.map(checkText),
    dues: dues.map((name) => readDue(name, body[name])),
    details: readDetails(body, call.bodyKind === 'form'),
  };
}

const DUE_NAMES = ['due', 'date'] as const;

/** A form has only strings: no lists, and booleans by name. */
function readDetails(body: Members, isForm: boolean): Partial<Details> {
  const details: Record<string, unknown> = {};
  for (const [name, { absent, read, schema }] of memberList) {
    const given = body[name];
    if (given === undefined || (isForm && schema['type'] === 'array')) continue;
    const isTruth = isForm && schema['type'] === 'boolean' && (given === 'true' || given === 'false');
    const value = isTruth ? given === 'true' : given;
    details[name] = value === null ? absent : read(value, name);
  }
  return details;
}

const FORM_MEMBERS = ['Text', 'task', ...DUE_NAMES, ...memberList.map(([name]) => name)];

/**
 * The members of the body.
 *
 * @throws {InvalidContentError} when a form repeats a known one; unknown ones may be repeated.
 */
export function membersOf({ body = {}, bodyKind }: Read): Members {
  const repeated = bodyKind === 'form' ? FORM_MEMBERS.find((name) => Array.isArray(body[name])) : undefined;
  if (repeated !== undefined) throw new InvalidContentError(`the form gives "${repeated}" more than once`);
  return body;
}

/** What a client that sent no text may have meant. */
function hint({ body = {}, bodyKind }: Read): string | undefined {
  const names = Object.keys(body);
  if (bodyKind === 'form' && names.some((name) => name.trimStart().startsWith('{'))) {
    return 'the body was read as a form but looks like JSON: send Content-Type: application/json';
  }
  const slip = names.find(
    (name) => ['text', 'task', 'title'].includes(name.toLowerCase()) && name !== 'Text' && name !== 'task',
  );
  return slip === undefined ? undefined : `"${slip}" is unknown: send "Text"`;
}
