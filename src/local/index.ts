/** The door: all that the product knows of this folder, and asks for only when it is needed. Each part is loaded when it is called. */
import type { Environment } from './environment.ts';
import type { EmbeddedStore, EmbeddedStoreOptions } from './store/index.ts';

/**
 * A MongoDB-compatible store in this process, for `MONGODB_URI=embedded:<directory>`.
 *
 * @throws {EmbeddedStoreError} when the directory cannot be used, with what to do about it.
 */
export async function startEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const store = await import('./store/index.ts');
  return await store.startEmbeddedStore(options);
}

/** What `npm run dev` sets for the API, for `npm run doctor -- --dev`. This process trusts the development tenant from then on. */
export async function developmentSettings(environment: Environment): Promise<Record<string, string>> {
  const doctor = await import('./doctorSettings.ts');
  return await doctor.developmentSettings(environment);
}

/** Whether `npm run dev` is running on this machine, for the doctor. Makes and changes nothing. */
export async function isDevelopmentRunning(environment: Environment): Promise<boolean> {
  const doctor = await import('./doctorSettings.ts');
  return await doctor.isDevelopmentRunning(environment);
}

/** MONGODB_URI for `npm run users -- --dev`: the store of `npm run dev`, whether that runs or not. */
export async function developmentStore(environment: Environment): Promise<string> {
  const store = await import('./developmentStore.ts');
  return await store.developmentStore(environment);
}
