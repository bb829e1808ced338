import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { parse, populate } from 'dotenv';
import { ConfigError } from './config.ts';

/**
 * Fills an environment from the file `.env` of the working directory, if there is one. What is set already stays.
 *
 * @throws {ConfigError} when the file is there and cannot be read: settings must not vanish in silence.
 */
export function loadEnvFile(env: Record<string, string | undefined>): void {
  populate(env, parse(readEnvFile()));
}

function readEnvFile(): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync('.env');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    const reason = code === 'EISDIR' ? 'a directory' : code === 'EACCES' ? 'not readable by this user' : String(code);
    throw new ConfigError([`.env is ${reason}, expected a text file, or none`]);
  }
  return decode(bytes);
}

/** Windows editors write UTF-16, in which no line would be found: every other character of it is a NUL. */
function decode(bytes: Buffer): string {
  if (isUtf8(bytes) && !bytes.includes(0)) return new TextDecoder().decode(bytes);
  throw new ConfigError(['.env is not UTF-8, expected a text file in UTF-8: save it in that encoding']);
}
