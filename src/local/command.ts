import { UsageError } from '../commandLine.ts';
import { DevError, systemCode } from './errors.ts';

/**
 * Runs one development command: what it throws becomes a message on stderr and an exit code.
 *
 * @param usage printed after the message about an invalid command line.
 * @param load imports and runs the command; a missing package is then reported like any other error.
 */
export async function runCommand(load: () => Promise<void>, usage = ''): Promise<void> {
  try {
    await load();
  } catch (error) {
    const shown = missingPackage(error) ?? error;
    process.exitCode = shown instanceof UsageError ? 2 : 1;
    process.stderr.write(`${describe(shown)}\n`);
    if (shown instanceof UsageError) process.stderr.write(`\n${usage}`);
  }
}

function describe(error: unknown): string {
  if (error instanceof DevError || error instanceof UsageError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** `npm ci --omit=dev` leaves out what only development needs, and production must do without it. */
function missingPackage(error: unknown): DevError | undefined {
  if (systemCode(error) !== 'ERR_MODULE_NOT_FOUND') return undefined;
  const name = /Cannot find package '([^']+)'/.exec((error as Error).message)?.[1];
  if (name === undefined) return undefined;
  return new DevError(
    `The package "${name}" is not installed. The development tenant needs the development dependencies: run \`npm ci\`` +
      ` without --omit=dev. In production, configure a real tenant and use \`npm start\`.`,
  );
}
