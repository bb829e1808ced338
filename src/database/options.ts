import type { ConnectOptions } from 'mongoose';

/** Where the tasks live unless the URI names another database; the tutorial's own name. */
const DEFAULT_DATABASE = 'tasklist';

/** What a URI may override: the right values depend on the network and the server's size. */
const TUNABLE = {
  appName: 'tasks-api',
  serverSelectionTimeoutMS: 2000,
  connectTimeoutMS: 3000,
  // Only a second line of defence: every operation of a request has a shorter deadline.
  socketTimeoutMS: 10_000,
  waitQueueTimeoutMS: 1000,
  heartbeatFrequencyMS: 2000,
  maxPoolSize: 50,
  minPoolSize: 2,
  maxIdleTimeMS: 60_000,
} as const satisfies ConnectOptions;

/**
 * What no URI may weaken. An acknowledged write is on the disks of a majority, and a read sees nothing that could
 * still be rolled back; reads go to the primary, so that a client sees what it has just written.
 */
const DURABLE = {
  w: 'majority',
  journal: true,
  wtimeoutMS: 2000,
  readConcernLevel: 'majority',
  readPreference: 'primary',
} as const;

/** Options for a `mongodb://` or `mongodb+srv://` URI that the driver can parse. */
export function connectOptions(uri: string): ConnectOptions {
  const { database, parameters } = readUri(uri);
  const tunable = Object.entries(TUNABLE).filter(([name]) => !parameters.has(name.toLowerCase()));
  return {
    ...(Object.fromEntries(tunable) as ConnectOptions),
    ...(DURABLE as ConnectOptions),
    ...(database === '' && { dbName: DEFAULT_DATABASE }),
  };
}

/** Whether the URI asks for writes that a power cut can undo. The driver prefers this option to ours. */
export function isUnjournaled(uri: string): boolean {
  return readUri(uri).parameters.get('j') === 'false';
}

/** The host names of a URI, for the log: no user, no password. */
export function hostsOf(uri: string): string {
  return readUri(uri).hosts;
}

// The URL class does not accept host lists and percent-encoded socket paths, so the URI is parsed by hand.
const URI = /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?(?<hosts>[^/?]*)(?:\/(?<database>[^?]*))?(?:\?(?<query>.*))?$/s;

function readUri(uri: string): { hosts: string; database: string; parameters: Map<string, string> } {
  const { hosts = '', database = '', query = '' } = URI.exec(uri)?.groups ?? {};
  const parameters = [...new URLSearchParams(query)].map(([name, value]) => [name.toLowerCase(), value] as const);
  return { hosts, database, parameters: new Map(parameters) };
}
