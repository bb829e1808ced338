import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { DevError } from './errors.ts';

/** A free port below those that operating systems hand out for a moment, so that it is still free next week. */
export async function choosePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
  throw new DevError('The development tenant found no free TCP port on 127.0.0.1 between 20000 and 32000.');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen({ port, host: '127.0.0.1' }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}
