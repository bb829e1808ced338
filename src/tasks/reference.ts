/**
 * Where a task is, relative to the URL that was asked for (RFC 3986, section 4.2). A proxy may serve us under a path of
 * its own, which we never see: a reference that starts with a slash would lead past it.
 *
 * @param path the path of the request, cleaned.
 * @param isSloppy whether it came with slashes too many; most often that is one at the end.
 */
export function referenceToTask(path: string, isSloppy: boolean, id: string): string {
  const folders = path.split('/').slice(1, isSloppy ? undefined : -1);
  const up = '../'.repeat(folders[0] === 'api' ? folders.length - 1 : folders.length);
  return `${up}${folders[0] === 'api' ? '' : 'api/'}tasks/${id}`;
}

/** The same resource with another cursor. All else in the query stays as the client wrote it. */
export function referenceToNext(query: string, cursor: string): string {
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', cursor);
  return `?${parameters.toString()}`;
}
