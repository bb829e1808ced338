/** Conditional requests (RFC 9110, section 13): what the client holds, against what there is. Knows nothing of tasks. */
import type { Request } from 'restify';
import { BadRequestError, PreconditionFailedError } from '../errors.ts';

/** Entity tags as a client lists them: `*`, or the opaque parts with their weakness. */
export type TagList = '*' | readonly { readonly tag: string; readonly isWeak: boolean }[];

export interface Conditions {
  readonly ifMatch: TagList | undefined;
  readonly ifNoneMatch: TagList | undefined;
}

// RFC 9110, section 8.8.3: etagc is any visible character but the quote, and obs-text.
const ENTITY_TAG = /[\t ]*(?:(W\/)?"([\x21\x23-\x7E\x80-\xFF]*)"[\t ]*)?/y;

/** @throws {BadRequestError} when If-Match or If-None-Match is malformed: ignoring it could overwrite somebody's work. */
export function readConditions(req: Request): Conditions {
  return {
    ifMatch: readTagList('If-Match', req.headers['if-match']),
    ifNoneMatch: readTagList('If-None-Match', req.headers['if-none-match']),
  };
}

/**
 * @param currentTag the opaque tag of the current state; undefined when there is none.
 * @throws {PreconditionFailedError} carrying the current ETag.
 */
export function assertPreconditions({ ifMatch, ifNoneMatch }: Conditions, currentTag: string | undefined): void {
  const current = currentTag === undefined ? undefined : quoteTag(currentTag);
  // RFC 9110, section 13.1.1: `*` matches any current representation, so a missing one fails here.
  if (ifMatch !== undefined && !matches(ifMatch, currentTag, 'strong')) {
    throw new PreconditionFailedError('it has changed since: fetch it again and decide', current);
  }
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, currentTag, 'weak')) {
    throw new PreconditionFailedError('it exists already', current);
  }
}

/** Whether the client of a GET or HEAD holds the current representation already. */
export function isNotModified(req: Request, currentTag: string): boolean {
  if (req.method !== 'GET' && req.method !== 'HEAD') return false;
  const { ifNoneMatch } = readConditions(req);
  return ifNoneMatch !== undefined && matches(ifNoneMatch, currentTag, 'weak');
}

export function quoteTag(tag: string): string {
  return `"${tag}"`;
}

function matches(list: TagList, currentTag: string | undefined, comparison: 'strong' | 'weak'): boolean {
  if (currentTag === undefined) return false;
  if (list === '*') return true;
  // The tag of the gzip form names the same state.
  return list.some(({ tag, isWeak }) => (comparison === 'weak' || !isWeak) && tag.replace(/-gzip$/, '') === currentTag);
}

function readTagList(name: string, header: string | undefined): TagList | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return '*';
  const tags = parseTags(header);
  if (tags === undefined) throw new BadRequestError(`${name} is malformed: send "*" or entity tags in double quotes`);
  return tags;
}

function parseTags(header: string): { tag: string; isWeak: boolean }[] | undefined {
  const tags: { tag: string; isWeak: boolean }[] = [];
  let at = 0;
  do {
    ENTITY_TAG.lastIndex = at;
    const [element, weakness, tag] = ENTITY_TAG.exec(header) ?? [];
    if (element === undefined) return undefined;
    // RFC 9110, section 5.6.1.2: a list may hold empty elements.
    if (tag !== undefined) tags.push({ tag, isWeak: weakness !== undefined });
    at = ENTITY_TAG.lastIndex;
  } while (header[at++] === ',');
  return at > header.length && tags.length > 0 ? tags : undefined;
}
