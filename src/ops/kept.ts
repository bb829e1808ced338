/** What is made on first use and stays the same while the process lives. */
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Answer } from '../http/answer.ts';

const compress = promisify(gzip);

/** Compressed once, off the main thread: Swagger UI alone takes a tenth of a second. */
export async function kept(body: string, rest: Omit<Answer, 'status' | 'body'> = {}): Promise<Answer> {
  const etag = hash('sha256', body, 'base64url').slice(0, 27);
  return { status: 200, body, etag, gzip: await compress(body), ...rest };
}

/** Made on first use; made again if that failed. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    }));
}
