const URI =
  /^(?<server>mongodb(?:\+srv)?:\/\/(?<credentials>[^@/]*@)?[^/?]*)(?:\/(?<database>[^?]*))?(?:\?(?<query>.*))?$/;

/** The same server, another database. The user is still looked up in the database where it was before. */
export function withDatabase(uri: string, name: string): string {
  const { server = '', credentials, database = '', query = '' } = URI.exec(uri)?.groups ?? {};
  const parameters = new URLSearchParams(query);
  if (credentials !== undefined && !parameters.has('authSource')) parameters.set('authSource', database || 'admin');
  const search = parameters.size === 0 ? '' : `?${parameters.toString()}`;
  return `${server}/${name}${search}`;
}
