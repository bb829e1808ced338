import { isUtf8 } from 'node:buffer';
import { lstatSync, readFileSync } from 'node:fs';
import { parse, populate } from 'dotenv';
import { ConfigError } from './config.ts';

/**
 * Fills an environment from the file `.env` in the working directory, if there is one. What is already set stays.
 *
 * @throws {ConfigError} when the file exists but cannot be read: settings must not vanish silently.
 */
export function loadEnvFile(env: Record<string, string | undefined>): void {
  populate(env, parse(readEnvFile()));
}

function readEnvFile(): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync('.env');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // A link to what is not there, not mounted yet perhaps, was meant to be read.
    if (code === 'ENOENT' && lstatSync('.env', { throwIfNoEntry: false }) === undefined) return '';
    throw new ConfigError([`.env is ${REASONS[code] ?? code}, expected a text file, or none`]);
  }
  return decode(bytes);
}

const REASONS: Readonly<Record<string, string>> = {
  EISDIR: 'a directory',
  EACCES: 'not readable by this user',
  ENOENT: 'a link to nothing',
};

/** Windows editors write UTF-16, in which no line would be found: every other byte is zero. */
function decode(bytes: Buffer): string {
  if (isUtf8(bytes) && !bytes.includes(0)) return new TextDecoder().decode(bytes);
  throw new ConfigError(['.env is not UTF-8, expected a text file in UTF-8: save it in that encoding']);
}
