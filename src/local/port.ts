import { randomInt } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { DevError, systemCode } from './errors.ts';

/** A free port below the ephemeral ones of operating systems, so that it is still free next week. */
export async function chooseLastingPort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(20_000, 32_000);
    if (!(await isTaken(port, '127.0.0.1'))) return port;
  }
  throw new DevError('The development tenant found no free TCP port on 127.0.0.1 between 20000 and 32000.');
}

/** Whether another program listens there. Whoever then tries to listen learns of any other obstacle. */
export async function isTaken(port: number, host: string): Promise<boolean> {
  try {
    await bindOnce(port, host);
    return false;
  } catch (error) {
    return systemCode(error) === 'EADDRINUSE';
  }
}

/** Any port that is free now. */
export function findFreePort(host: string): Promise<number> {
  return bindOnce(0, host);
}

function bindOnce(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ port, host }, () => {
      const bound = (probe.address() as AddressInfo).port;
      probe.close(() => {
        resolve(bound);
      });
    });
  });
}
