/** The store that all servers of a benchmark share, in a process of its own, as a MongoDB server would be. */
import { startEmbeddedStore } from '../../src/local/store/index.ts';

const store = await startEmbeddedStore({ directory: process.env['DIRECTORY'] ?? '' });
process.on('SIGTERM', () => {
  void store.close().then(() => process.exit(0));
});
process.send?.({ uri: store.uri });
