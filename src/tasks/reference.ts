/**
 * Where a task is, relative to the URL that was asked for (RFC 3986, section 4.2). A proxy may serve us under a path of
 * its own, which we never see: a reference that starts with a slash would lead past it.
 *
 * @param receivedPath the path as the client sent it, slashes too many included: it is what the client resolves against.
 */
export function referenceToTask(receivedPath: string, id: string): string {
  const folders = receivedPath.split('/').length - 2;
  return `${'../'.repeat(folders)}api/tasks/${id}`;
}

/** The same resource with another cursor. All else in the query stays as the client wrote it. */
export function referenceToNext(query: string, cursor: string): string {
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', cursor);
  return `?${parameters.toString()}`;
}
