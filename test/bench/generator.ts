/** The load, in a process of its own: autocannon, told by messages what to send. */
import autocannon from 'autocannon';

/** A request as a client words it. */
export interface Wire {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  headers: Record<string, string>;
  body?: string;
}

export interface Load {
  port: number;
  connections: number;
  /** Dealt out to the connections; each sends its own in turn, again and again. */
  requests: readonly Wire[];
  /** How many to send. With as many as there are requests, each is sent once. */
  answers: number;
}

export interface Served {
  answers: number;
  /** From the first request to the last answer. */
  seconds: number;
  /** Answers by status. */
  statuses: Record<string, number>;
  p50Ms: number;
  p99Ms: number;
}

process.on('message', (load: Load) => {
  void send(load).then((served) => process.send?.(served));
});

async function send(load: Load): Promise<Served> {
  const statuses: Record<string, number> = {};
  const times: number[] = [];
  let seconds = 0;
  const begin = performance.now();
  const { errors } = await fire(load, (status, ms) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
    times.push(ms);
    seconds = (performance.now() - begin) / 1000;
  });
  if (errors > 0) statuses['none'] = errors;
  return { answers: times.length, seconds, statuses, ...percentiles(times) };
}

async function fire(
  { port, connections, requests, answers }: Load,
  onAnswer: (status: number, ms: number) => void,
): Promise<autocannon.Result> {
  let dealt = 0;
  const options: autocannon.Options = {
    url: `http://127.0.0.1:${port}`,
    connections,
    // Milliseconds; how often it looks whether it is done.
    sampleInt: 50,
    amount: answers,
    setupClient: (client) => {
      client.setRequests(hand(requests, connections, dealt++));
    },
  };
  return await new Promise((resolve, reject) => {
    const instance = autocannon(options, (error: unknown, result) => {
      if (error instanceof Error) reject(error);
      else resolve(result);
    });
    instance.on('response', (_client, status, _bytes, ms) => {
      onAnswer(status, ms);
    });
  });
}

/** One connection's share. Where there are fewer requests than connections, some get the same. */
function hand(requests: readonly Wire[], connections: number, player: number): Wire[] {
  const share = requests.filter((_, i) => i % connections === player);
  return share.length > 0 ? share : [requests[player % requests.length] as Wire];
}

function percentiles(times: number[]): { p50Ms: number; p99Ms: number } {
  const sorted = Float64Array.from(times).sort();
  const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
