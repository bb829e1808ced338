/** Clients that send one request after the other and keep account of what became of each. */
import { Agent, request, type RequestOptions } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Account {
  /** Statuses of the answers. */
  answered: number[];
  /** Requests for which there was no connection, so that nothing was sent. */
  refused: number;
  /** What became of requests that were sent and got no answer. */
  lost: string[];
  /** On `performance.now()`: until then each client rests between its requests, so that not all of a wait is spent on load. */
  restUntil: number;
}

const REST_MS = 50;

export function emptyAccount(): Account {
  return { answered: [], refused: 0, lost: [], restUntil: 0 };
}

/** Sends requests from as many clients until each is refused, or ends another way. */
export async function sendUntilRefused(
  clients: number,
  isKeptAlive: boolean,
  options: RequestOptions,
  account: Account,
): Promise<void> {
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const agent = new Agent({ keepAlive: isKeptAlive, maxSockets: 1 });
      while (await sendOne({ ...options, agent }, account)) {
        if (performance.now() < account.restUntil) await sleep(REST_MS);
      }
      agent.destroy();
    }),
  );
}

function sendOne(options: RequestOptions, account: Account): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request(options, (answer) => {
      answer.resume();
      answer.on('end', () => {
        account.answered.push(answer.statusCode ?? 0);
        resolve(true);
      });
      answer.on('error', onError);
    });
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ECONNREFUSED') account.refused += 1;
      else account.lost.push(error.message);
      resolve(false);
    };
    sent.on('error', onError);
    sent.end();
  });
}
