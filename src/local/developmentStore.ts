/** For `npm run users -- --dev`. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { dataDirectory } from './directory.ts';
import type { Environment } from './environment.ts';
import { socketIn, uriOf } from './store/index.ts';

/** MONGODB_URI for the store of `npm run dev`: the one that is open while it runs, else the directory. */
export async function developmentStore(environment: Environment): Promise<string> {
  const { store } = dataDirectory(environment);
  const socket = socketIn(store);
  return (await isListening(socket)) ? uriOf(socket) : `embedded:${store}`;
}

async function isListening(path: string): Promise<boolean> {
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Nobody there, or the socket of a process that was killed.
    return false;
  } finally {
    socket.destroy();
  }
}
