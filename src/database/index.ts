export { connectOnce } from './connection.ts';
export { createDatabase, type Database, type DatabaseOptions } from './database.ts';
export { DEADLINE_MS, deadlineOf, requestDeadline, withinDeadline, withSignal } from './deadline.ts';
export { isRefusal, toStoreError } from './errors.ts';
export { openStore, StoreStartError, type OpenStore } from './store.ts';
export { ensureStructure } from './structure.ts';
