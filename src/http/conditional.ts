/** Conditional requests (RFC 9110, section 13). Knows nothing of tasks. */
import { BadRequestError, PreconditionFailedError } from '../errors.ts';

/** Entity tags as a client lists them: `*`, or their opaque parts. */
type TagList = '*' | readonly string[];

export interface Conditions {
  readonly ifMatch: TagList | undefined;
  readonly ifNoneMatch: TagList | undefined;
}

export interface ConditionHeaders {
  readonly 'if-match'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
}

// RFC 9110, section 8.8.3: etagc is any visible character but the quote, and obs-text.
const ENTITY_TAG = /[\t ]*(?:(?:W\/)?"([\x21\x23-\x7E\x80-\xFF]*)"[\t ]*)?/y;
// What compressing proxies append to a tag: Apache, nginx modules, Caddy and Jetty each do it differently.
const CODING_SUFFIX = /(?:[-;](?:gzip|br|zstd|deflate))+$/;

/** @throws {BadRequestError} when If-Match or If-None-Match is malformed: ignoring it could overwrite somebody's work. */
export function readConditions(headers: ConditionHeaders): Conditions {
  return {
    ifMatch: readTagList('If-Match', headers['if-match']),
    ifNoneMatch: readTagList('If-None-Match', headers['if-none-match']),
  };
}

/**
 * @param currentTag the opaque tag of the current state; undefined if there is none.
 * @throws {PreconditionFailedError} with the current ETag.
 */
export function assertPreconditions({ ifMatch, ifNoneMatch }: Conditions, currentTag: string | undefined): void {
  const current = currentTag === undefined ? undefined : quoteTag(currentTag);
  // RFC 9110, section 13.1.1: `*` matches any current representation, so a missing one fails here.
  if (ifMatch !== undefined && !matches(ifMatch, currentTag)) {
    throw new PreconditionFailedError('it has changed since: fetch it again, then decide', current);
  }
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, currentTag)) {
    throw new PreconditionFailedError('it already exists', current);
  }
}

/**
 * Whether the client of a GET or HEAD already has the current representation.
 *
 * @throws {PreconditionFailedError} when If-Match does not hold for it.
 */
export function isNotModified(headers: ConditionHeaders, currentTag: string): boolean {
  const { ifMatch, ifNoneMatch } = readConditions(headers);
  assertPreconditions({ ifMatch, ifNoneMatch: undefined }, currentTag);
  return ifNoneMatch !== undefined && matches(ifNoneMatch, currentTag);
}

export function quoteTag(tag: string): string {
  return `"${tag}"`;
}

/**
 * Our tags name one state, even after a compressing proxy has made them weak or added the coding. So the weak comparison
 * also serves for If-Match, against the letter of RFC 9110, section 13.1.1.
 */
function matches(list: TagList, currentTag: string | undefined): boolean {
  if (currentTag === undefined) return false;
  return list === '*' || list.some((tag) => tag === currentTag || tag.replace(CODING_SUFFIX, '') === currentTag);
}

function readTagList(name: string, header: string | undefined): TagList | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return '*';
  const tags = parseTags(header);
  if (tags === undefined) throw new BadRequestError(`${name} is malformed: send "*" or entity tags in double quotes`);
  return tags;
}

function parseTags(header: string): string[] | undefined {
  const tags: string[] = [];
  let at = 0;
  do {
    ENTITY_TAG.lastIndex = at;
    const [element, tag] = ENTITY_TAG.exec(header) ?? [];
    if (element === undefined) return undefined;
    // RFC 9110, section 5.6.1.2: a list may hold empty elements.
    if (tag !== undefined) tags.push(tag);
    at = ENTITY_TAG.lastIndex;
  } while (header[at++] === ',');
  return at > header.length && tags.length > 0 ? tags : undefined;
}
