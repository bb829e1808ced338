import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The command line is invalid. The message says why. */
export class UsageError extends Error {}

/**
 * Node's `parseArgs` for the commands.
 *
 * @throws {UsageError} for an unknown option, or one without its value.
 */
export function readCommandLine<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
