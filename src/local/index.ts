/** The only file here that code outside this folder imports. Each part is loaded when it is first called. */
import type { Environment } from './environment.ts';
import type { EmbeddedStore, EmbeddedStoreOptions } from './store/index.ts';

/**
 * A MongoDB-compatible store in this process, for `MONGODB_URI=embedded:<directory>`.
 *
 * @throws {EmbeddedStoreError} when the directory cannot be used; the message says what to do.
 */
export async function startEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const store = await import('./store/index.ts');
  return await store.startEmbeddedStore(options);
}

/** What `npm run dev` sets for the API, for `npm run doctor -- --dev`. This process then trusts the development tenant. */
export async function developmentSettings(environment: Environment): Promise<Record<string, string>> {
  const doctor = await import('./doctorSettings.ts');
  return await doctor.developmentSettings(environment);
}

/** Whether `npm run dev` is running on this machine, for the doctor. Changes nothing. */
export async function isDevelopmentRunning(environment: Environment): Promise<boolean> {
  const doctor = await import('./doctorSettings.ts');
  return await doctor.isDevelopmentRunning(environment);
}

/** MONGODB_URI for `npm run users -- --dev`: the store of `npm run dev`, running or not. */
export async function developmentStore(environment: Environment): Promise<string> {
  const store = await import('./developmentStore.ts');
  return await store.developmentStore(environment);
}
